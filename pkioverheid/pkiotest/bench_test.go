package pkiotest_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"testing"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// BenchmarkNewAndIssue is what a test pays for a certificate: for scale, 20 ms is
// too much. Nearly all of it should be the one signature with RSA-4096, which is
// what the metric "signatures" shows. With -benchtime 1x, and one hierarchy a
// process, it is the first time that counts, in which keys and CAs are parsed.
func BenchmarkNewAndIssue(b *testing.B) {
	for _, h := range all {
		b.Run(h.String(), func(b *testing.B) {
			for b.Loop() {
				pkiotest.New(h).Issue(pkiotest.Leaf{})
			}
			issue := b.Elapsed() / time.Duration(b.N)

			a := pkiotest.New(h)
			key := a.PrivateKey(a.Certificates()[2])
			var opts crypto.SignerOpts = crypto.SHA512
			if h == pkioverheid.PrivateG4TLS {
				opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA512}
			}
			digest := sha512.Sum512(nil)
			const rounds = 20
			start := time.Now()
			for range rounds {
				if _, err := key.Sign(rand.Reader, digest[:], opts); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(issue)/(float64(time.Since(start))/rounds), "signatures")
		})
	}
}
