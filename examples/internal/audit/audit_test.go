package audit

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

var at = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

func ExampleCollector() {
	c := NewCollector(Run{Machine: "web01", Start: at, At: at})
	store := pkioverheid.G3.Certificates()
	var file bytes.Buffer
	for _, ca := range store {
		_ = pem.Encode(&file, &pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw})
	}
	for r := range inventory.ScanReader(context.Background(), inventory.Config{Time: at}, "/etc/ssl/g3.pem", &file, -1) {
		c.Take(r)
	}
	found, _ := c.Finish(0, false, nil)
	fmt.Println(len(found.Certificates) == len(store), found.Certificates[0].Do, found.Certificates[0].Places[0].Path)
	// Output: true now /etc/ssl/g3.pem
}

// However much of others is found, there is room for what is of PKIoverheid.
func TestWhatIsKeptIsBounded(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	var file bytes.Buffer
	const foreign = 700
	for i := range foreign {
		template := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: fmt.Sprintf("n%d", i)}, NotAfter: at}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(t, err)
		require.NoError(t, pem.Encode(&file, &pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	g3 := pkioverheid.G3.Certificates()
	for _, ca := range g3 { // the last to be found
		require.NoError(t, pem.Encode(&file, &pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}))
	}
	c := NewCollector(Run{At: at})
	c.others = maxOthers - 100_000
	for r := range inventory.ScanReader(t.Context(), inventory.Config{Time: at}, "all.pem", &file, -1) {
		c.Take(r)
	}
	found, lost := c.Finish(0, false, nil)
	assert.Zero(t, lost)
	assert.Equal(t, foreign+len(g3), found.Summary.Places)
	assert.Equal(t, len(g3), found.Summary.TakeOut)
	assert.NotZero(t, found.Summary.NotListed)
	assert.Less(t, found.Summary.Other, 200)
	assert.Equal(t, foreign, found.Summary.Other+found.Summary.NotListed)
	assert.LessOrEqual(t, len(c.pictured), maxPictured)
	pictured := 0
	for i, cert := range found.Certificates {
		assert.Equal(t, i < len(g3), cert.Do == ClassNow)
		if cert.Found().Certificate != nil {
			pictured++
		}
	}
	assert.Equal(t, len(c.pictured), pictured)
}

// Certificates can be a thousand times as large as real ones.
func TestFindingsOfLargeCertificatesAreBounded(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "large"},
		ExtraExtensions: []pkix.Extension{{Id: []int{1, 2, 3}, Value: make([]byte, 1000<<10)}}}
	dir := t.TempDir()
	const files = 20
	for i := range files {
		cert.SerialNumber = big.NewInt(int64(i + 1))
		der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), der, 0o600))
	}
	c := NewCollector(Run{At: time.Now()})
	for r := range inventory.Scan(t.Context(), inventory.Config{}, dir) {
		require.NoError(t, r.Err)
		c.Take(r)
	}
	assert.Equal(t, files, c.audit.Summary.Places, "all are counted")
	assert.LessOrEqual(t, c.der, maxDER)
}

// Parts that went through JSON make the same audit, in any order.
func TestPartsMakeTheSameAudit(t *testing.T) {
	const folder = "../../../pkioverheid/certs"
	keys := t.TempDir() // beside the keys of others, there
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG4TLS, pkioverheid.PrivateG1} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificates()[2].Raw}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
		require.NoError(t, os.WriteFile(filepath.Join(keys, string(h)), text, 0o600))
	}
	var results []inventory.Result
	for r := range inventory.Scan(t.Context(), inventory.Config{Time: at, JudgeAhead: true}, folder, folder+"/g3", os.DevNull, "not there", keys) {
		results = append(results, r)
	}
	require.Greater(t, len(results), 20)
	collected := func(of []inventory.Result) *Audit {
		c := NewCollector(Run{At: at})
		for _, r := range of {
			c.Take(r)
		}
		found, _ := c.Finish(0, false, nil)
		return found
	}
	all := collected(results)
	assert.Equal(t, 2, all.Summary.WrongKeys)
	want, err := json.Marshal(all)
	require.NoError(t, err)

	mathrand.Shuffle(len(results), func(i, j int) { results[i], results[j] = results[j], results[i] })
	whole := NewCollector(Run{At: at})
	for i, n := 0, len(results)/3; i < 3; i++ {
		data, err := json.Marshal(collected(results[i*n : max((i+1)*n, len(results)*(i/2))]))
		require.NoError(t, err)
		part := new(Audit)
		require.NoError(t, json.Unmarshal(data, part))
		whole.Add(part)
	}
	found, _ := whole.Finish(0, false, nil)
	got, err := json.Marshal(found)
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(got))
	assert.Equal(t, string(want), string(got))
}

// A certificate with which there is nothing to do on a machine had nothing to be accepted
// there.
func TestWhatIsAcceptedStaysSoWhereTheOthersHaveNothingToDo(t *testing.T) {
	accepted := &Acceptance{Reason: "known", Until: "2027-03-31"}
	for _, test := range []struct {
		name           string
		one, other     Class
		oneOK, otherOK bool // accepted
		do             Class
		stays          bool
	}{
		{"accepted, and in order elsewhere", ClassFix, ClassOK, true, false, ClassFix, true},
		{"in order, and accepted elsewhere", ClassOK, ClassFix, false, true, ClassFix, true},
		{"accepted in both", ClassNow, ClassNow, true, true, ClassNow, true},
		{"accepted in one", ClassNow, ClassNow, true, false, ClassNow, false},
		{"accepted in the other", ClassNow, ClassNow, false, true, ClassNow, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			one, other := &Certificate{Do: test.one}, &Certificate{Do: test.other}
			if test.oneOK {
				one.Accepted = accepted
			}
			if test.otherOK {
				other.Accepted = accepted
			}
			one.Merge(other)
			assert.Equal(t, test.do, one.Do)
			assert.Equal(t, test.stays, one.Accepted != nil)
		})
	}
}
