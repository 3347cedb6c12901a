package pkiotest_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// An alert 90 days before the deadline, tested without a real certificate.
func ExampleAdvice() {
	leaf := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}).Leaf
	at := time.Date(2027, 11, 1, 0, 0, 0, 0, time.UTC)
	real := pkiotest.Advice(leaf, advice.MachineToMachine, at)
	fmt.Println(advice.For(leaf, advice.MachineToMachine, at).Status)
	fmt.Println(real.Urgency, real.Replacement, real.Supplier)
	// Output:
	// compromised
	// soon Private G4 TLS KPN
}

// Fixtures and the real certificates get the same advice, from CA to CA.
func TestFixturesGetTheAdviceOfWhatTheyAreACopyOf(t *testing.T) {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, h := range all {
		for _, fixture := range pkiotest.New(h).Certificates() {
			found := false
			for _, cert := range h.Certificates() {
				if cert.Subject.CommonName == fixture.Subject.CommonName && cert.NotBefore.Equal(fixture.NotBefore) {
					found = true
					assert.Equal(t, advice.For(cert, "", at), pkiotest.Advice(fixture, "", at), fixture.Subject.CommonName)
				}
			}
			assert.True(t, found, "%v: %s", h, fixture.Subject.CommonName)
			assert.Equal(t, advice.Compromised, advice.For(fixture, "", at).Status)
		}
	}
}

func TestFilesCanBeLoadedAndServeAServer(t *testing.T) {
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
	pair := g4.Issue(pkiotest.Leaf{OIN: "00000099000000001000"})
	own, err := pkioverheid.LoadKeyPair(pkiotest.Files(t, pair))
	require.NoError(t, err)
	assert.Equal(t, pair.Leaf, own.Certificate())
	s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: pkiotest.Trust(g4), KeyPairs: []*pkioverheid.KeyPair{own}}, pkioverheid.AllowOIN("00000099000000001000"))
	require.NoError(t, err)
	url := pkiotest.Serve(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := pkioverheid.IdentityFromContext(r.Context())
		fmt.Fprint(w, id.OIN())
	}))
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g4), KeyPairs: []*pkioverheid.KeyPair{own}})
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	resp, err := client.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "00000099000000001000", string(body))
	assert.Equal(t, 2, resp.ProtoMajor)
}

// A test of a program that reads its certificate from files.
func ExampleFiles() {
	test := func(t *testing.T) {
		own, err := pkioverheid.LoadKeyPair(pkiotest.Files(t, pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})))
		if err != nil {
			t.Fatal(err)
		}
		_ = own // to the program
	}
	_ = test
	// Output:
}

// A test of a handler with a real handshake.
func ExampleServe() {
	test := func(t *testing.T) {
		g1 := pkiotest.New(pkioverheid.PrivateG1)
		s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: pkiotest.Trust(g1), KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{})}}, pkioverheid.AllowAnySystem())
		if err != nil {
			t.Fatal(err)
		}
		url := pkiotest.Serve(t, s, http.NotFoundHandler())
		_ = url // for clients of the test
	}
	_ = test
	// Output:
}
