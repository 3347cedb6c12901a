package digikoppeling_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/digikoppeling"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func ExampleCertificateThumbprint() {
	peer, other := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}).Leaf, pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}).Leaf
	x5t := digikoppeling.CertificateThumbprint(peer) // what the access token is bound to
	fmt.Println(len(x5t), digikoppeling.IsThumbprint(x5t, peer), digikoppeling.IsThumbprint(x5t, other))
	// Output: 43 true false
}

func ExampleIsThumbprint() {
	cert := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}).Leaf
	sum := sha256.Sum256(cert.Raw)
	fmt.Println(digikoppeling.IsThumbprint(base64.StdEncoding.EncodeToString(sum[:]), cert)) // as FSC Core writes it
	// Output: true
}

func ExampleKeyThumbprint() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	before := g1.Issue(pkiotest.Leaf{})
	renewed := g1.Issue(pkiotest.Leaf{Key: before.PrivateKey.(*rsa.PrivateKey)}).Leaf
	fmt.Println(digikoppeling.KeyThumbprint(before.Leaf) == digikoppeling.KeyThumbprint(renewed))
	fmt.Println(digikoppeling.CertificateThumbprint(before.Leaf) == digikoppeling.CertificateThumbprint(renewed))
	// Output:
	// true
	// false
}

func TestThumbprints(t *testing.T) {
	cert, other := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}).Leaf, pkiotest.New(pkioverheid.PrivateG4TLS).Issue(pkiotest.Leaf{}).Leaf
	sum := sha256.Sum256(cert.Raw)
	for name, x5t := range map[string]string{
		"base64url":               base64.RawURLEncoding.EncodeToString(sum[:]),
		"base64url with padding":  base64.URLEncoding.EncodeToString(sum[:]),
		"base64":                  base64.StdEncoding.EncodeToString(sum[:]),
		"base64 without padding":  base64.RawStdEncoding.EncodeToString(sum[:]),
		"what is written by this": digikoppeling.CertificateThumbprint(cert),
	} {
		assert.True(t, digikoppeling.IsThumbprint(x5t, cert), name)
		assert.False(t, digikoppeling.IsThumbprint(x5t, other), name)
		assert.False(t, digikoppeling.IsThumbprint(x5t, nil), name)
		assert.False(t, digikoppeling.IsThumbprint(x5t[:42], cert), name)
		assert.False(t, digikoppeling.IsThumbprint(x5t+"=", cert) && strings.HasSuffix(x5t, "="), name)
		assert.False(t, digikoppeling.IsThumbprint(" "+x5t, cert), name)
	}
	assert.False(t, digikoppeling.IsThumbprint("", cert))
	assert.False(t, digikoppeling.IsThumbprint(hex.EncodeToString(sum[:]), cert))
	assert.Empty(t, digikoppeling.CertificateThumbprint(nil))
	assert.Empty(t, digikoppeling.CertificateThumbprint(new(x509.Certificate)))
	assert.Empty(t, digikoppeling.KeyThumbprint(nil))
	key := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	assert.Equal(t, hex.EncodeToString(key[:]), digikoppeling.KeyThumbprint(cert))
}

func TestSuitesOfFSCHaveForwardSecrecy(t *testing.T) {
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		state := &tls.ConnectionState{HandshakeComplete: true, Version: suite.SupportedVersions[len(suite.SupportedVersions)-1], CipherSuite: suite.ID}
		for _, rule := range []string{"TLS006", "TLSCIPH001"} {
			got := outcome(t, digikoppeling.CheckConnection(state, time.Time{}, digikoppeling.Options{FSC: true}), rule)
			if strings.HasPrefix(suite.Name, "TLS_RSA_") {
				assert.Equal(t, digikoppeling.Broken, got.Verdict, suite.Name)
				assert.Contains(t, got.Reason, "no forward secrecy")
			} else {
				assert.NotContains(t, got.Reason, "forward secrecy", suite.Name)
			}
		}
	}
}

// contract names the keys of peers, as contracts of FSC do.
type contract struct {
	name string
	keys []string
}

// naming is the report of somebody who replaces a certificate: the contracts that name
// its key, each of which must be made anew.
func naming(contracts []contract, cert *x509.Certificate) (affected []string) {
	for _, c := range contracts {
		for _, key := range c.keys {
			if strings.EqualFold(key, digikoppeling.KeyThumbprint(cert)) {
				affected = append(affected, c.name)
				break
			}
		}
	}
	return affected
}

// A peer moves from G1 to G4. It stays the same peer, and its contracts do not stay: G4
// asks for RSA of 3072 bits, so that the key is another one.
func TestAPeerMovesFromG1ToG4(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	short, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	long, err := rsa.GenerateKey(rand.Reader, 3072)
	require.NoError(t, err)
	const organisation = "Gemeente Voorbeeld"
	peer := func(a *pkiotest.Authority, key *rsa.PrivateKey) tls.Certificate {
		return a.Issue(pkiotest.Leaf{OIN: someOIN, Organization: organisation, Key: key})
	}
	old, renewed, moved := peer(g1, short), peer(g1, short), peer(g4, long)
	other := g1.Issue(pkiotest.Leaf{OIN: "00000001112233445000"})

	contracts := []contract{
		{"both of them", []string{digikoppeling.KeyThumbprint(old.Leaf), digikoppeling.KeyThumbprint(other.Leaf)}},
		{"in capitals", []string{strings.ToUpper(digikoppeling.KeyThumbprint(old.Leaf))}},
		{"the other one alone", []string{digikoppeling.KeyThumbprint(other.Leaf)}},
	}
	assert.Equal(t, []string{"both of them", "in capitals"}, naming(contracts, old.Leaf))
	assert.Equal(t, []string{"both of them", "in capitals"}, naming(contracts, renewed.Leaf), "the same key")
	assert.Empty(t, naming(contracts, moved.Leaf), "no contract names the new key yet")

	// Several anchors, and one identity: the peer's OIN and its organisation's name.
	seen := make(chan string, 1)
	server := g4.NewService("manager.example", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := pkioverheid.IdentityFromContext(r.Context())
		seen <- fmt.Sprint(id.OIN(), " ", id.Certificate().Subject.Organization)
	}), pkioverheid.AllowOIN(someOIN), pkiotest.Leaf{})
	defer server.Close()
	for _, cert := range []tls.Certificate{old, renewed, moved} {
		pair, err := pkioverheid.NewKeyPair(cert)
		require.NoError(t, err)
		client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1, g4), KeyPairs: []*pkioverheid.KeyPair{pair}, Base: pkiotest.Base(server)})
		require.NoError(t, err)
		resp, err := client.Get(server.URL)
		require.NoError(t, err)
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		client.CloseIdleConnections()
		assert.Equal(t, string(someOIN)+" ["+organisation+"]", <-seen)
	}
}
