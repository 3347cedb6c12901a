package truststore_test

import (
	"fmt"
	"log"

	"github.com/go-pkioverheid/trust/truststore"
)

// To see which of a partner's roots the machine trusts already.
func ExampleSystem() {
	system, err := truststore.System()
	if system == nil {
		log.Fatal(err) // not Linux
	}
	if err != nil {
		log.Print(err) // what crypto/x509 skipped without a word
	}
	for cert := range open(folder).SelfSigned().All() {
		fmt.Println(cert.Subject.CommonName, system.Contains(cert))
	}
	// Output: Staat der Nederlanden Private Root CA - G1 false
}
