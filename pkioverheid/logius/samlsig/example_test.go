package samlsig_test

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius/samlsig"
)

// Metadata as the Stelsel Toegang published it in 2022, verified as of then.
func ExampleVerifyMetadata() {
	v, err := pkioverheid.NewVerifier(pkioverheid.Trust{})
	if err != nil {
		log.Fatal(err)
	}
	doc, err := os.ReadFile("testdata/tvs-metadata-2022.xml")
	if err != nil {
		log.Fatal(err)
	}
	then := time.Date(2022, time.December, 1, 0, 0, 0, 0, time.UTC)
	m, err := samlsig.VerifyMetadata(doc, v, pkioverheid.SignerOptions{Time: then})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Entities[0].ID)
	// Output: urn:nl-eid-gdi:1.0:RD:00000004000000149000:entities:9002
}
