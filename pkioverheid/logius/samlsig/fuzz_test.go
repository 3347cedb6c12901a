package samlsig

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// Nobody but the party can make a document that is accepted: what is read of a document
// that was changed is what the party signed.
func FuzzVerifyMetadata(f *testing.F) {
	real, err := os.ReadFile("testdata/tvs-metadata-2022.xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(real)
	signed := goodSigned(f)
	f.Add([]byte(signed))
	f.Add([]byte(strings.Replace(signed, "</ds:Signature>", "<ds:Object/></ds:Signature>", 1)))
	f.Add([]byte(strings.Replace(signed, excTransform, strings.Replace(excTransform, "></", `><ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs"/></`, 1), 1)))
	f.Add([]byte("<!DOCTYPE a><a/>"))
	v := verifierOf(f, pkiotest.Trust(g1))
	then := verifierOf(f, pkioverheid.Trust{})
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, c := range []struct {
			v    *pkioverheid.Verifier
			opts pkioverheid.SignerOptions
			id   string
		}{
			{v, pkioverheid.SignerOptions{}, partyID},
			{then, pkioverheid.SignerOptions{Time: in2022}, "urn:nl-eid-gdi:1.0:RD:00000004000000149000:entities:9002"},
		} {
			m, err := VerifyMetadata(doc, c.v, c.opts)
			if err != nil {
				if m != nil {
					t.Error("half a result")
				}
				if s := err.Error(); len(s) > 5000 || strings.Contains(s, "a panic") || strings.ContainsAny(s, "\r\x00\x1b") {
					t.Errorf("%q", s)
				}
				continue
			}
			if len(m.Entities) != 1 || m.Entities[0].ID != c.id || len(m.Entities[0].Keys) != 1 || len(m.Entities[0].Keys[0].Certificates) != 1 || m.Entities[0].Keys[0].Use != "signing" {
				t.Errorf("%+v", m)
			}
		}
		// What the checks of the form would refuse may not harm either.
		unchecked := all
		unchecked.form = nil
		if m, err := unchecked.verify(doc, v, pkioverheid.SignerOptions{}); err == nil {
			if len(m.Entities) != 1 || m.Entities[0].ID != partyID || len(m.Entities[0].Keys) != 1 {
				t.Errorf("without the checks of the form: %+v", m)
			}
		} else if strings.Contains(err.Error(), "a panic") {
			t.Errorf("without the checks of the form: %v", err)
		}
	})
}

// Documents that somebody put together from a signed one and parts of his own, by the
// operations that data says.
func FuzzRearranged(f *testing.F) {
	signed := goodSigned(f)
	parts := []string{evilRole(f), key("signing", evil(f).Leaf), `<md:EntityDescriptor ID="_1" entityID="` + partyID + `">` + evilRole(f) + `</md:EntityDescriptor>`,
		`<md:EntitiesDescriptor ID="_1"></md:EntitiesDescriptor>`, `<md:Extensions></md:Extensions>`, `<ds:Object xmlns:ds="http://www.w3.org/2000/09/xmldsig#"></ds:Object>`, signed}
	f.Add([]byte{0, 1, 2, 1, 3, 4, 2, 5, 6})
	f.Add([]byte{1, 30, 0, 3, 0, 0, 4, 12, 0})
	f.Add([]byte{4, 40, 0, 0, 2, 1, 1, 0, 5})
	v := verifierOf(f, pkiotest.Trust(g1))
	unchecked := all
	unchecked.form = nil
	f.Fuzz(func(t *testing.T, data []byte) {
		doc := []byte(rearranged(signed, parts, data[:min(len(data), 60)]))
		for name, c := range map[string]checks{"": all, "without the checks of the form": unchecked} {
			m, err := c.verify(doc, v, pkioverheid.SignerOptions{})
			if err != nil {
				if strings.Contains(err.Error(), "a panic") {
					t.Errorf("%s %v: %s", name, err, doc)
				}
				continue
			}
			if len(m.Entities) != 1 || m.Entities[0].ID != partyID || len(m.Entities[0].Keys) != 1 || !m.Entities[0].Keys[0].Certificates[0].Equal(partyCertificate.Leaf) {
				t.Errorf("%s: %s", name, doc)
			}
		}
	})
}

func rearranged(signed string, parts []string, data []byte) string {
	tree := etree.NewDocument()
	if err := tree.ReadFromString(`<all xmlns:md="` + metadata + `">` + signed + strings.Join(parts, "") + `</all>`); err != nil {
		panic(err)
	}
	all := tree.Root()
	root := all.ChildElements()[0]
	for ; len(data) >= 3; data = data[3:] {
		elements := slices.Collect(elements(all))[1:]
		if len(elements) == 0 {
			break
		}
		a, b := elements[int(data[1])%len(elements)], elements[int(data[2])%len(elements)]
		switch data[0] % 6 {
		case 0: // move, to the end
			if !within(b, a) && a != root {
				b.AddChild(a)
			}
		case 1: // copy, to the beginning
			if len(elements) < 300 { // copies of copies double it each time
				b.InsertChildAt(0, a.Copy())
			}
		case 2:
			if a != root && len(elements) > 10 {
				a.Parent().RemoveChild(a)
			}
		case 3:
			a.CreateAttr([]string{"ID", "Id", "xml:id", "URI", "Algorithm", "x:ID"}[data[2]%6], []string{"_1", "#_1", "", enveloped, excC14N}[data[2]%5])
		case 4:
			root = a
		case 5:
			for i := range a.Attr {
				if int(data[2])%len(a.Attr) == i {
					a.RemoveAttr(a.Attr[i].FullKey())
					break
				}
			}
		}
	}
	alone := etree.NewDocument()
	copied := root.Copy()
	copied.CreateAttr("xmlns:md", metadata)
	alone.SetRoot(copied)
	text, err := alone.WriteToString()
	if err != nil {
		return ""
	}
	return text
}

func within(el, other *etree.Element) bool {
	for ; el != nil; el = el.Parent() {
		if el == other {
			return true
		}
	}
	return false
}
