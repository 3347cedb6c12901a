package samlsig_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
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

// A Keyring that fetches DigiD's metadata each hour, takes it only if DigiD's own
// certificate signed it, and holds the signing certificates.
func ExampleVerifyMetadata_keyring() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	trust := pkioverheid.Trust{}
	client, err := logius.DigiD().NewClient(logius.Production, pkioverheid.ClientConfig{Trust: trust}) // yours has KeyPairs
	if err != nil {
		log.Fatal(err)
	}
	client.Transport = unplugged{} // yours has none of this
	verifier, err := logius.DigiD().Verifier(trust)
	if err != nil {
		log.Fatal(err)
	}
	keys, err := logius.DigiD().NewKeyring(trust)
	if err != nil {
		log.Fatal(err)
	}
	err = keys.Watch(ctx, logius.MetadataSource{
		URL: "https://was.digid.nl/saml/idp/metadata", Client: client,
		Verify: func(doc []byte) (*logius.Metadata, error) {
			return samlsig.VerifyMetadata(doc, verifier, pkioverheid.SignerOptions{})
		},
	})
	fmt.Println(err)
	// Output: logius: fetching the metadata from "was.digid.nl": there is no network here
}

type unplugged struct{}

func (unplugged) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("there is no network here")
}
