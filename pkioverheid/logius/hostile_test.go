package logius_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/pkioverheid/logius"
)

// Whatever a large document is made of, reading it takes seconds, and some times its
// size of memory. These have a quarter of what is read at most.
func TestLargeDocuments(t *testing.T) {
	const size = 4 << 20
	fill := func(before, each, after string) string {
		var b strings.Builder
		b.WriteString(before)
		for i := 0; b.Len()+len(each)+16+len(after) < size; i++ {
			if strings.Contains(each, "#") {
				b.WriteString(strings.ReplaceAll(each, "#", fmt.Sprint(i)))
			} else {
				b.WriteString(each)
			}
		}
		b.WriteString(after)
		return b.String()
	}
	const md, tp = `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`, `<tp:CollaborationProtocolAgreement xmlns:tp="http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><tp:PartyInfo>`
	metadata := func(r io.Reader) error { _, err := logius.ReadMetadata(r); return err }
	agreement := func(r io.Reader) error { _, err := logius.ReadCPA(r); return err }
	for name, c := range map[string]struct {
		text string
		read func(io.Reader) error
	}{
		"entities":            {fill(md, `<md:EntityDescriptor entityID="#"/>`, "</md:EntitiesDescriptor>"), metadata},
		"keys":                {fill(md+`<md:EntityDescriptor entityID="x"><md:R>`, `<md:KeyDescriptor/>`, "</md:R></md:EntityDescriptor></md:EntitiesDescriptor>"), metadata},
		"endpoints":           {fill(md+`<md:EntityDescriptor entityID="x"><md:R>`, `<md:S Location="#"/>`, "</md:R></md:EntityDescriptor></md:EntitiesDescriptor>"), metadata},
		"empty certificates":  {fill(md+`<md:EntityDescriptor entityID="x"><md:R><md:KeyDescriptor><ds:KeyInfo><ds:X509Data>`, `<ds:X509Certificate/>`, ""), metadata},
		"large tags":          {fill(md, "<a "+strings.Repeat("b='' ", 10_000)+"/>", "</md:EntitiesDescriptor>"), metadata},
		"text":                {fill(md, "text", "</md:EntitiesDescriptor>"), metadata},
		"one certificate":     {fill(md+`<md:EntityDescriptor entityID="x"><md:R><md:KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>`, "MIIB", ""), metadata},
		"comments":            {fill(md, "<!---->", "</md:EntitiesDescriptor>"), metadata},
		"line breaks":         {fill(md, "\n", "<"), metadata},
		"references":          {fill(tp, `<tp:ClientCertificateRef tp:certId="#"/>`, "</tp:PartyInfo></tp:CollaborationProtocolAgreement>"), agreement},
		"references of kinds": {fill(tp, `<tp:X#CertificateRef tp:certId="x"/>`, "</tp:PartyInfo></tp:CollaborationProtocolAgreement>"), agreement},
		"parties":             {fill(tp+"</tp:PartyInfo>", `<tp:PartyInfo/>`, "</tp:CollaborationProtocolAgreement>"), agreement},
		"party ids":           {fill(tp, `<tp:PartyId tp:type="#">#</tp:PartyId>`, "</tp:PartyInfo></tp:CollaborationProtocolAgreement>"), agreement},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			begin := time.Now()
			err := c.read(strings.NewReader(c.text))
			took := time.Since(begin)
			runtime.ReadMemStats(&after)
			t.Logf("%v, %d MiB allocated, %v", took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, err)
			assert.Less(t, took, 30*time.Second)
			assert.Less(t, after.HeapSys-min(before.HeapSys, after.HeapSys), uint64(256<<20))
			if err != nil {
				assert.Less(t, len(err.Error()), 800)
			}
		})
	}
}
