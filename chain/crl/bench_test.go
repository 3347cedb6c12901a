package crl_test

import (
	"crypto/x509"
	"math/big"
	mathrand "math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
)

const million = 1_000_000

// bigLists are a list of a million entries as CAs publish them, in the order of
// revocation and in that of the numbers, signed with RSASSA-PSS.
var bigLists = sync.OnceValue(func() (l struct {
	ca            authority
	entries       []byte
	plain, sorted []byte
}) {
	l.ca = newAuthority("Issuing CA", rsaKey())
	l.entries = bigEntries(million, false)
	l.plain = pssList(l.ca, l.entries)
	l.sorted = pssList(l.ca, bigEntries(million, true))
	return l
})

// memory is what f takes: allocated in all, in use at the highest as far as the
// garbage collector lets it be seen, and in use at the end by what f returns.
type memory struct{ allocated, peak, kept uint64 }

func memoryOf(f func() any) (m memory) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)

	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		var highest uint64
		var now runtime.MemStats
		for {
			select {
			case <-stop:
				done <- highest
				return
			case <-time.After(5 * time.Millisecond):
				runtime.ReadMemStats(&now)
				highest = max(highest, now.HeapAlloc)
			}
		}
	}()
	result := f()
	runtime.ReadMemStats(&after)
	close(stop)
	m.peak = max(<-done, after.HeapAlloc) - before.HeapAlloc
	m.allocated = after.TotalAlloc - before.TotalAlloc
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	m.kept = after.HeapAlloc - min(after.HeapAlloc, before.HeapAlloc)
	runtime.KeepAlive(result)
	return m
}

func ours(t testing.TB, der []byte) *crl.List {
	l, err := crl.Parse(der)
	require.NoError(t, err)
	return l
}

func theirs(t testing.TB, der []byte) *x509.RevocationList {
	l, err := x509.ParseRevocationList(der)
	require.NoError(t, err)
	return l
}

// Parse beside crypto/x509: the fastest of the runs, which take turns.
func BenchmarkParse(b *testing.B) {
	lists := bigLists()
	for _, c := range []struct {
		name string
		der  []byte
	}{{"unsorted", lists.plain}, {"sorted", lists.sorted}} {
		b.Run(c.name, func(b *testing.B) {
			var own, x509s time.Duration
			fastest := func(best *time.Duration, f func()) {
				runtime.GC()
				begin := time.Now()
				f()
				if d := time.Since(begin); *best == 0 || d < *best {
					*best = d
				}
			}
			for b.Loop() {
				fastest(&own, func() { ours(b, c.der) })
				fastest(&x509s, func() { theirs(b, c.der) })
			}
			b.ReportMetric(float64(own)/float64(x509s), "time/x509")
			b.ReportMetric(float64(own.Milliseconds()), "ms")

			mine := memoryOf(func() any { return ours(b, c.der) })
			other := memoryOf(func() any { return theirs(b, c.der) })
			b.ReportMetric(float64(mine.allocated)/float64(other.allocated), "allocated/x509")
			b.ReportMetric(float64(mine.peak)/float64(other.peak), "peak/x509")
			b.ReportMetric(float64(mine.kept)/float64(other.kept), "kept/x509")
			b.ReportMetric(float64(mine.kept)/million, "bytes/entry")
			b.ReportMetric(float64(mine.allocated)/million, "allocated/entry")
		})
	}
}

// Lookup of numbers at random, so that no two want the same memory, beside a map
// that was made for it.
func BenchmarkLookup(b *testing.B) {
	lists := bigLists()
	l := ours(b, lists.plain)
	index := make(map[string]x509.RevocationListEntry, million)
	for _, e := range theirs(b, lists.plain).RevokedCertificateEntries {
		index[string(e.SerialNumber.Bytes())] = e
	}
	serials := make([]*big.Int, 1<<16)
	random := mathrand.New(mathrand.NewPCG(1, 2))
	for i := range serials {
		serials[i] = bigSerial(lists.entries, million, random.IntN(million))
	}
	var own, mapped time.Duration
	fastest := func(best *time.Duration, begin time.Time) {
		if d := time.Since(begin); *best == 0 || d < *best {
			*best = d
		}
	}
	for b.Loop() {
		begin := time.Now()
		for _, s := range serials {
			if _, ok := l.Lookup(s); !ok {
				b.Fatal("it is on the list")
			}
		}
		fastest(&own, begin)
		begin = time.Now()
		for _, s := range serials {
			if _, ok := index[string(s.Bytes())]; !ok {
				b.Fatal("it is in the map")
			}
		}
		fastest(&mapped, begin)
	}
	b.ReportMetric(float64(own.Nanoseconds())/float64(len(serials)), "ns/lookup")
	b.ReportMetric(float64(own)/float64(mapped), "time/map")
	b.ReportMetric(testing.AllocsPerRun(100, func() { l.Lookup(serials[0]) }), "allocs")
}
