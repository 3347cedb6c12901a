//go:build unix

package truststore

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// The benchmarks report a ratio: what something costs beside what the standard
// library takes for the same certificates, by turns in one run and in processor
// time, since machines are noisy. Both sides keep what they have read.

// ratio runs both by turns, and the garbage of neither is left for the other one.
// On one processor, because the collector works more where one is idle.
func ratio(b *testing.B, unit string, ours, theirs func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var spent [2]time.Duration
	for b.Loop() {
		for i, run := range []func(){ours, theirs} {
			runtime.GC()
			start := processorTime(b)
			run()
			spent[i] += processorTime(b) - start
		}
	}
	b.ReportMetric(spent[0].Seconds()/spent[1].Seconds(), unit)
}

// processorTime is what this process has used on all processors.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// manyCerts are n certificates, the real ones with other signatures, which are
// wrong, but no parser looks.
func manyCerts(b *testing.B, n int) []*x509.Certificate {
	b.Helper()
	var certs []*x509.Certificate
	for i := 0; ; i++ {
		for _, cert := range realCerts(b) {
			if len(certs) == n {
				return certs
			}
			raw := bytes.Clone(cert.Raw)
			raw[len(raw)-1], raw[len(raw)-2] = byte(i), byte(i>>8)
			certs = append(certs, parse(b, raw))
		}
	}
}

var keep any

func BenchmarkDecodeDER(b *testing.B) {
	certs := manyCerts(b, 10_000)
	data := ders(certs...)
	ratio(b, "of-x509", func() {
		s, err := Decode(data)
		if err != nil || s.Len() != len(certs) {
			b.Fatal(err)
		}
		keep = s
	}, func() {
		var parsed []*x509.Certificate
		for _, cert := range certs {
			p, err := x509.ParseCertificate(cert.Raw)
			if err != nil {
				b.Fatal(err)
			}
			parsed = append(parsed, p)
		}
		keep = parsed
	})
}

func BenchmarkDecodePEM(b *testing.B) {
	certs := manyCerts(b, 10_000)
	data := text(certs...)
	ratio(b, "of-pem-and-x509", func() {
		s, err := Decode(data)
		if err != nil || s.Len() != len(certs) {
			b.Fatal(err)
		}
		keep = s
	}, func() {
		var parsed []*x509.Certificate
		for rest := data; ; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			p, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				b.Fatal(err)
			}
			parsed = append(parsed, p)
		}
		keep = parsed
	})
}

func BenchmarkContains(b *testing.B) {
	certs := realCerts(b)
	s := New(certs...)
	var others []*x509.Certificate // equal and elsewhere, so that bytes are compared
	for _, cert := range certs {
		others = append(others, parse(b, cert.Raw))
	}
	ratio(b, "of-sha256", func() {
		for range 1000 {
			for _, cert := range others {
				if !s.Contains(cert) {
					b.Fatal("lost one")
				}
			}
		}
	}, func() {
		for range 1000 {
			for _, cert := range others {
				sum = sha256.Sum256(cert.Raw)
			}
		}
	})
}

var sum [sha256.Size]byte

// BenchmarkDiff compares two stores of 100,000 that have half of their
// certificates in common with one look at each byte of both.
func BenchmarkDiff(b *testing.B) {
	certs := standIns(150_000)
	from, to := New(certs[:100_000]...), New(certs[50_000:]...)
	zeros := 0
	ratio(b, "of-a-pass", func() {
		if d := Diff(from, to); len(d.Added) != 50_000 || len(d.Removed) != 50_000 {
			b.Fatal("wrong")
		}
	}, func() {
		for _, s := range []*Store{from, to} {
			for cert := range s.All() {
				zeros += bytes.Count(cert.Raw, []byte{0})
			}
		}
	})
}

func BenchmarkEncodePEM(b *testing.B) {
	certs := manyCerts(b, 10_000)
	s := New(certs...)
	ratio(b, "of-pem", func() {
		data, err := s.Encode(PEM)
		if err != nil {
			b.Fatal(err)
		}
		keep = data
	}, func() {
		var out bytes.Buffer
		for _, cert := range certs {
			if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}); err != nil {
				b.Fatal(err)
			}
		}
		keep = out.Bytes()
	})
}
