package inventory_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// In the examples it is always the same day.
var config = inventory.Config{Time: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}

const g1Root = "../certs/private-g1/staat-der-nederlanden-private-root-ca-g1.pem"

func first(target string) inventory.Result {
	for r := range inventory.Scan(context.Background(), config, target) {
		return r
	}
	return inventory.Result{}
}

// A file that lies in an object store.
func ExampleScanReader() {
	object, err := os.Open(g1Root) // or what the store's client returns
	if err != nil {
		log.Fatal(err)
	}
	defer object.Close()
	for r := range inventory.ScanReader(context.Background(), config, "bucket/g1.pem", object, -1) {
		fmt.Println(r)
	}
	// Output: bucket/g1.pem, line 1: "Staat der Nederlanden Private Root CA - G1" (Private G1 root) until 2028-11-13: trusted
}

// What must be replaced, below a folder.
func ExampleScan() {
	var lines []string
	for r := range inventory.Scan(context.Background(), config, "../certs", "/no/such/file") {
		if r.Err != nil {
			fmt.Println(r.Err)
			continue
		}
		if r.Advice().Status == advice.Withdrawn {
			lines = append(lines, filepath.Base(r.Path)+", "+r.Place)
		}
	}
	slices.Sort(lines)
	fmt.Println(strings.Join(lines, "\n"))
	// Output:
	// inventory: /no/such/file: stat: no such file or directory
	// digidentity-bv-pkioverheid-organisatie-server-ca-g3-2018.pem, line 1
	// digidentity-bv-pkioverheid-organisatie-server-ca-g3-2019.pem, line 1
	// digidentity-pkioverheid-organisatie-server-ca-g3-2018.pem, line 1
	// kpn-bv-pkioverheid-organisatie-server-ca-g3-2016.pem, line 1
	// kpn-bv-pkioverheid-organisatie-server-ca-g3-2019.pem, line 1
	// quovadis-pkioverheid-organisatie-server-ca-g3-2016.pem, line 1
	// quovadis-pkioverheid-organisatie-server-ca-g3-2019.pem, line 1
}

// Key stores are opened with the passwords that are known.
func ExampleConfig() {
	cfg := config
	cfg.Passwords = func(path string) iter.Seq[string] {
		return slices.Values([]string{"changeit", "geheim"})
	}
	for r := range inventory.Scan(context.Background(), cfg, "../../truststore/testdata/seeds/pkcs12/keytool.p12") {
		fmt.Println(r.Place, "is a", r.Use)
	}
	// Output:
	// entry 1 "a" is a trust anchor
	// entry 2 "b" is a trust anchor
}

func ExampleResult_Claim() {
	id, ok := first(g1Root).Claim()
	fmt.Println(ok, id.Hierarchy, id.Role)
	// Output: true Private G1 root
}

func ExampleResult_Chain() {
	path, err := first("../certs/private-g1/kpn-pkioverheid-private-services-ca-g1.pem").Chain()
	if err != nil {
		log.Fatal(err)
	}
	for _, cert := range path {
		fmt.Println(cert.Subject.CommonName)
	}
	// Output:
	// KPN PKIoverheid Private Services CA - G1
	// Staat der Nederlanden Private Services CA - G1
	// Staat der Nederlanden Private Root CA - G1
}

func ExampleResult_State() {
	fmt.Println(first(g1Root).State())
	fmt.Println(first("../certs/ev/kpn-pkioverheid-server-ca-2020.pem").State())
	fmt.Println(first("../certs/g3/kpn-bv-pkioverheid-organisatie-server-ca-g3-2016.pem").State())
	// Output:
	// trusted
	// expired
	// withdrawn
}

func ExampleResult_Explain() {
	e := first("../certs/ev/kpn-pkioverheid-server-ca-2020.pem").Explain()
	fmt.Println(e.OK, e.Reason, len(e.Path))
	// Output: false expired 3
}

func ExampleResult_Advice() {
	advice := first(g1Root).Advice()
	fmt.Println(advice.Status, advice.Deadline.Format(time.DateOnly), advice.Replacement)
	// Output: ending 2028-11-12 Private G4 TLS
}

func ExampleResult_String() {
	fmt.Println(first(g1Root))
	// Output: ../certs/private-g1/staat-der-nederlanden-private-root-ca-g1.pem, line 1: "Staat der Nederlanden Private Root CA - G1" (Private G1 root) until 2028-11-13: trusted
}

func ExampleResult_Where() {
	fmt.Println(first(g1Root).Where())
	// Output: ../certs/private-g1/staat-der-nederlanden-private-root-ca-g1.pem, line 1
}

func ExampleResult_MarshalJSON() {
	if err := json.NewEncoder(os.Stdout).Encode(first("no such file")); err != nil {
		log.Fatal(err)
	}
	// Output: {"target":"no such file","path":"no such file","state":"error","error":"inventory: no such file: stat: no such file or directory"}
}

func ExampleUse() {
	fmt.Println(inventory.SAMLSigning)
	// Output: SAML signing
}

// Some troubles are none for most purposes.
func ExampleErrSkipped() {
	for r := range inventory.Scan(context.Background(), config, os.DevNull) {
		fmt.Println(errors.Is(r.Err, inventory.ErrSkipped), r.Err)
	}
	// Output: true inventory: /dev/null: a pipe, socket or device, which is not opened
}
