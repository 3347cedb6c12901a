package truststore_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// The certificates of the examples: real ones, one PEM file each.
const (
	folder   = "../pkioverheid/certs/private-g1"
	rootFile = folder + "/staat-der-nederlanden-private-root-ca-g1.pem"
)

func open(path string) *truststore.Store {
	store, err := truststore.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	return store
}

// To trust the CAs in a folder, and nothing else.
func Example() {
	store, err := truststore.Open("../pkioverheid/certs/private-g1")
	if err != nil {
		log.Fatal(err) // names the file, the block and the byte
	}
	config := &tls.Config{RootCAs: store.SelfSigned().CertPool()}

	fmt.Println(store.Len(), "certificates, and of those roots:")
	for cert := range store.SelfSigned().All() {
		fmt.Println(cert.Subject.CommonName, cert.NotAfter.Format(time.DateOnly))
	}
	_ = config // for an http.Transport
	// Output:
	// 7 certificates, and of those roots:
	// Staat der Nederlanden Private Root CA - G1 2028-11-13
}

func ExampleOpen() {
	store, err := truststore.Open(folder)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(store.Len())
	_, err = truststore.Open("doc.go")
	fmt.Println(err)
	// Output:
	// 7
	// truststore: doc.go: neither certificates nor keys nor a container of them are recognised in it
}

func ExampleDecode() {
	const text = `-----BEGIN CERTIFICATE-----
MII!
-----END CERTIFICATE-----`
	_, err := truststore.Decode([]byte(text))
	fmt.Println(err)
	_, err = truststore.Decode([]byte("<!DOCTYPE html><html>404 Not Found</html>"))
	fmt.Println(err)
	// Output:
	// truststore: block 1 (CERTIFICATE, line 1, byte 0): damaged base64: illegal base64 data at input byte 3
	// truststore: this is an HTML page, and no certificate: the download was probably refused; look at it in a browser
}

func ExampleDetect() {
	data, err := os.ReadFile(rootFile)
	if err != nil {
		log.Fatal(err)
	}
	format, err := truststore.Detect(data)
	fmt.Println(format, err)
	// Output: PEM <nil>
}

func ExampleWithLimit() {
	_, err := truststore.Open(rootFile, truststore.WithLimit(1000))
	fmt.Println(strings.TrimPrefix(err.Error(), "truststore: "+filepath.FromSlash(rootFile)+": "))
	// Output: there are more than 1000 bytes, which is the limit: put the certificates into a file of their own
}

func ExampleKeepGoing() {
	good, err := os.ReadFile(rootFile)
	if err != nil {
		log.Fatal(err)
	}
	mixed := append(good, "-----BEGIN CERTIFICATE-----\nMII!\n-----END CERTIFICATE-----\n"...)
	store, err := truststore.Decode(mixed, truststore.KeepGoing())
	fmt.Println(store.Len())
	fmt.Println(err)
	// Output:
	// 1
	// truststore: block 2 (CERTIFICATE, line 33, byte 1972): damaged base64: illegal base64 data at input byte 3
}

func ExampleDecodeKey() {
	// A file with a key and the certificates that go with it.
	generated, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(generated)
	if err != nil {
		log.Fatal(err)
	}
	file, err := open(folder).Encode(truststore.PEM)
	if err != nil {
		log.Fatal(err)
	}
	file = append(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)

	key, certs, err := truststore.DecodeKey(file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(generated.PublicKey.Equal(key.Public()), certs.Len())
	// Output: true 7
}

func ExampleWithPassword() {
	// As openssl genpkey -algorithm ed25519 -aes-256-cbc makes it, with a salt of 16 bytes.
	const text = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBCRQ5HIrTLSaM+wwkII
4s1GAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQsvz3G0z8jQi38+Rm
KBzPYQRA92iCq7ANo6eRjr+VBeIXdnqM4ZvBP47Q3514MmOSVk/3Zrg02YV/Tf/Y
rDQoY05DAv/eWvRnPYMYO2MdgWnngQ==
-----END ENCRYPTED PRIVATE KEY-----`
	key, _, err := truststore.DecodeKey([]byte(text), truststore.WithPassword("geheim"))
	fmt.Printf("%T %v\n", key, err)
	_, _, err = truststore.DecodeKey([]byte(text))
	fmt.Println(err)
	// Output:
	// ed25519.PrivateKey <nil>
	// truststore: block 1 (ENCRYPTED PRIVATE KEY, line 1, byte 0): it is encrypted, and no password was given
}

func ExampleNew() {
	root := slices.Collect(open(rootFile).All())[0]
	store := truststore.New(root, root, nil)
	fmt.Println(store.Len())
	// Output: 1
}

// A trust store for Java.
func ExampleStore_Encode_java() {
	data, err := open(folder).Encode(truststore.PKCS12, truststore.WithPassword("changeit"))
	if err != nil {
		log.Fatal(err)
	}
	store, err := truststore.Decode(data, truststore.WithPassword("changeit"))
	fmt.Println(store.Len(), err)
	_, err = truststore.Decode(data, truststore.WithPassword("changed"))
	fmt.Println(err)
	// Output:
	// 7 <nil>
	// truststore: the password given does not fit, or the file is damaged
}

func rootFingerprint() truststore.Fingerprint {
	f, err := truststore.ParseFingerprint("0257ce27b52408e24ee2c0945640b723c5bc66ddbda4ada58c60357604f0e675")
	if err != nil {
		log.Fatal(err)
	}
	return f
}

func ExampleParseFingerprint() {
	f, err := truststore.ParseFingerprint("02:57:CE:27:B5:24:08:E2:4E:E2:C0:94:56:40:B7:23:C5:BC:66:DD:BD:A4:AD:A5:8C:60:35:76:04:F0:E6:75")
	fmt.Println(f, err)
	// Output: 0257ce27b52408e24ee2c0945640b723c5bc66ddbda4ada58c60357604f0e675 <nil>
}

func ExampleFingerprintOf() {
	for cert := range open(rootFile).All() {
		fmt.Println(truststore.FingerprintOf(cert))
	}
	// Output: 0257ce27b52408e24ee2c0945640b723c5bc66ddbda4ada58c60357604f0e675
}

func ExampleFingerprint_MarshalText() {
	text, err := rootFingerprint().MarshalText()
	fmt.Println(string(text), err)
	// Output: 0257ce27b52408e24ee2c0945640b723c5bc66ddbda4ada58c60357604f0e675 <nil>
}

func ExampleFingerprint_UnmarshalText() {
	var f truststore.Fingerprint
	fmt.Println(f.UnmarshalText([]byte("0257CE27")))
	// Output: truststore: a SHA-256 fingerprint has 64 hexadecimal digits, not 8 (40 are of SHA-1)
}

func ExampleFingerprint_String() {
	fmt.Println(rootFingerprint().String()[:8])
	// Output: 0257ce27
}

func ExampleStore_Add() {
	store := open(rootFile)
	all := open(folder)
	added := 0
	for cert := range all.All() {
		added += store.Add(cert)
	}
	fmt.Println(added, "new ones")
	// Output: 6 new ones
}

func ExampleStore_Contains() {
	store := open(folder)
	for cert := range open(rootFile).All() {
		fmt.Println(store.Contains(cert))
	}
	// Output: true
}

func ExampleStore_Len() {
	fmt.Println(open(folder).Len())
	// Output: 7
}

func ExampleStore_All() {
	for cert := range open(folder).All() {
		if cert.NotAfter.Before(time.Date(2028, 11, 12, 12, 0, 0, 0, time.UTC)) {
			fmt.Println(cert.Subject.CommonName)
		}
	}
	// Output:
	// DigiCert QuoVadis PKIoverheid Private Services CA - 2023
	// Digidentity BV PKIoverheid Private Services CA - G1
	// KPN PKIoverheid Private Services CA - G1
	// QuoVadis PKIoverheid Private Services CA - G1
	// UZI-register Private Server CA G1
}

// To find who may have issued a certificate.
func ExampleStore_BySubject() {
	store := open(folder)
	for cert := range store.All() {
		if cert.Subject.CommonName != "UZI-register Private Server CA G1" {
			continue
		}
		for issuer := range store.BySubject(cert.RawIssuer) {
			fmt.Println(issuer.Subject.CommonName, cert.CheckSignatureFrom(issuer))
		}
	}
	// Output: Staat der Nederlanden Private Services CA - G1 <nil>
}

func ExampleStore_Filter() {
	store := open(folder)
	kpn := store.Filter(func(cert *x509.Certificate) bool {
		return strings.HasPrefix(cert.Subject.CommonName, "KPN ")
	})
	fmt.Println(kpn.Len())
	// Output: 1
}

func ExampleStore_SelfSigned() {
	for cert := range open("../pkioverheid/certs/g3").SelfSigned().All() {
		fmt.Println(cert.Subject.CommonName) // which is not to be trusted
	}
	// Output: Staat der Nederlanden Root CA - G3
}

func ExampleStore_CertPool() {
	store := open(folder)
	options := x509.VerifyOptions{
		Roots:         store.SelfSigned().CertPool(),
		Intermediates: store.CertPool(),
		CurrentTime:   time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	for cert := range store.All() {
		if _, err := cert.Verify(options); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("done")
	// Output: done
}

func ExampleDiff() {
	old, current := open(rootFile), open(folder)
	changes := truststore.Diff(old, current)
	fmt.Println(len(changes.Added), "added,", len(changes.Removed), "removed")
	// Output: 6 added, 0 removed
}

func ExampleStore_Encode() {
	text, err := open(rootFile).Encode(truststore.PEM)
	if err != nil {
		log.Fatal(err)
	}
	comment, _, _ := strings.Cut(string(text), "\n")
	fmt.Println(comment)
	// Output: # CN=Staat der Nederlanden Private Root CA - G1,O=Staat der Nederlanden,C=NL | expires 2028-11-13 | SHA-256 0257ce27b52408e24ee2c0945640b723c5bc66ddbda4ada58c60357604f0e675
}

// What is in a key store, with what it says about each certificate.
func ExampleEntries() {
	data, err := open(rootFile).Encode(truststore.PKCS12, truststore.WithPassword("changeit"))
	if err != nil {
		log.Fatal(err)
	}
	for e := range truststore.Entries(data, truststore.WithPassword("changeit")) {
		if e.Err != nil {
			fmt.Println(e.Err)
			continue
		}
		fmt.Printf("%v entry %d %q, trusted: %t\n", e.Format, e.Number, e.Alias, e.Kind == truststore.TrustedCertificate)
	}
	// Output:
	// PKCS12 entry 1 "staat der nederlanden private root ca - g1", trusted: true
}

// What a report may say about a certificate that crypto/x509 refuses.
func ExampleReadOutline() {
	data, err := os.ReadFile("testdata/cases/brainpool.pem")
	if err != nil {
		log.Fatal(err)
	}
	outline, err := truststore.ReadOutline(data)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s of %v until %s: %s\n", outline.Kind, outline.Subject, outline.NotAfter.Format(time.DateOnly), outline.Key)
	// Output: certificate of CN=brainpool,O=Test,C=NL until 2036-11-25: ECDSA on brainpoolP256r1 (1.3.36.3.3.2.8.1.1.7)
}

// A JKS has a password, and each key in it may have another.
func ExampleWithKeyPassword() {
	data, err := os.ReadFile("testdata/cases/key.jks")
	if err != nil {
		log.Fatal(err)
	}
	key, _, err := truststore.DecodeKey(data, truststore.WithPassword("storepass"), truststore.WithKeyPassword("keypass1"))
	if err != nil && !fips140.Enforced() { // Java's encryption needs SHA-1
		log.Fatal(err)
	}
	fmt.Println(key != nil || fips140.Enforced())
	// Output: true
}
