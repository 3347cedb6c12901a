package logius_test

import (
	"bytes"
	"crypto/x509"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// tokenise is what reading is measured against: encoding/xml alone.
func tokenise(b testing.TB, data []byte) {
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			b.Fatal(err)
		}
	}
}

// compare reports how fast read is: encoding/xml's time over ours, of the fastest
// run of each, measured in turns.
func compare(b *testing.B, data []byte, read func(io.Reader) error) {
	var own, peer time.Duration
	fastest := func(best *time.Duration, f func()) {
		begin := time.Now()
		f()
		if d := time.Since(begin); *best == 0 || d < *best {
			*best = d
		}
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		fastest(&own, func() { require.NoError(b, read(bytes.NewReader(data))) })
		fastest(&peer, func() { tokenise(b, data) })
	}
	b.ReportMetric(float64(peer)/float64(own), "speed/encoding-xml")
}

// differentCertificates are n of one kind, so that each is parsed.
func differentCertificates(b testing.TB, n int, oin pkioverheid.OIN) []*x509.Certificate {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	certs := make([]*x509.Certificate, n)
	for i := range certs {
		certs[i] = g1.Issue(pkiotest.Leaf{OIN: oin}).Leaf
	}
	return certs
}

// megabyteOfMetadata has parties with two certificates each, until it is 1 MB.
func megabyteOfMetadata(b testing.TB, repeated bool) []byte {
	n := 300
	if repeated {
		n = 2
	}
	certs := differentCertificates(b, n, ownOIN)
	var entities []string
	for size, i := 0, 0; size < 1<<20; i++ {
		e := entity(fmt.Sprintf("urn:nl:%d", i), keyDescriptor("signing", certs[2*i%n]), keyDescriptor("encryption", certs[(2*i+1)%n]))
		entities = append(entities, e)
		size += len(e)
	}
	return []byte(network(entities...))
}

func megabyteOfCPA(b testing.TB, different int) []byte {
	certs := differentCertificates(b, different, ownOIN)
	var parties []string
	for size, i := 0, 0; size < 1<<20; i++ {
		p := party(fmt.Sprintf("P%d", i), ownOIN, certs[i%len(certs)])
		parties = append(parties, p)
		size += len(p)
	}
	return []byte(cpa(parties...))
}

func readMetadataBytes(r io.Reader) error {
	_, err := logius.ReadMetadata(r)
	return err
}

func BenchmarkReadMetadata(b *testing.B) {
	b.Run("EachCertificateOnce", func(b *testing.B) { compare(b, megabyteOfMetadata(b, false), readMetadataBytes) })
	b.Run("RepeatedCertificates", func(b *testing.B) { compare(b, megabyteOfMetadata(b, true), readMetadataBytes) })
}

func BenchmarkReadCPA(b *testing.B) {
	compare(b, megabyteOfCPA(b, 300), func(r io.Reader) error {
		_, err := logius.ReadCPA(r)
		return err
	})
}

// What the benchmarks measure is a whole document of each kind.
func TestTheBenchmarksReadWhatTheyShould(t *testing.T) {
	m := readMetadata(t, string(megabyteOfMetadata(t, true)))
	require.Greater(t, len(m.Entities), 100)
	for _, e := range m.Entities {
		require.Len(t, e.Keys, 2)
	}
	c := readCPA(t, strings.TrimSpace(string(megabyteOfCPA(t, 1))))
	require.Greater(t, len(c.Parties), 200)
}
