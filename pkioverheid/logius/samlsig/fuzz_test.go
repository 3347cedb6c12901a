package samlsig

import (
	"os"
	"strings"
	"testing"

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
