package crl_test

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
)

func TestListTellsWhatIsRevokedAndWhen(t *testing.T) {
	day := now.AddDate(0, -1, 0)
	l, err := crl.Parse(ca().list(revoking(
		revoked(1000, day, crl.KeyCompromise),
		revoked(2, day.Add(time.Hour), crl.Unspecified),
		revoked(-5, day, crl.Superseded),
		revoked(3, day, crl.RemoveFromCRL),
	)))
	require.NoError(t, err)
	require.NoError(t, l.CheckSignatureFrom(ca().Certificate))
	assert.Equal(t, 4, l.Len())
	assert.Equal(t, big.NewInt(7), l.Number)
	assert.Equal(t, ca().Subject.String(), l.Issuer.String())
	assert.Equal(t, ca().RawSubject, l.RawIssuer)
	assert.Equal(t, ca().SubjectKeyId, l.AuthorityKeyID)
	assert.Equal(t, now.Add(-time.Hour), l.ThisUpdate)
	assert.Equal(t, now.Add(24*time.Hour), l.NextUpdate)
	assert.Equal(t, x509.ECDSAWithSHA256, l.SignatureAlgorithm)

	e, ok := l.Lookup(big.NewInt(1000))
	assert.True(t, ok)
	assert.Equal(t, crl.Entry{RevokedAt: day, Reason: crl.KeyCompromise}, e)
	e, ok = l.Lookup(big.NewInt(-5))
	assert.True(t, ok)
	assert.Equal(t, crl.Entry{RevokedAt: day, Reason: crl.Superseded}, e)
	_, ok = l.Lookup(big.NewInt(4))
	assert.False(t, ok)

	cert := ca().issue(2)
	require.NoError(t, l.Covers(cert))
	at := day.Add(time.Hour)
	assert.NoError(t, l.Check(cert, at.Add(-time.Second)), "it was revoked later")
	var refused *crl.RevokedError
	for _, at := range []time.Time{at, now, {}} {
		require.ErrorAs(t, l.Check(cert, at), &refused)
		assert.Equal(t, cert.SerialNumber, refused.Serial)
		assert.Equal(t, crl.Entry{RevokedAt: day.Add(time.Hour)}, refused.Entry)
		assert.False(t, refused.At.IsZero())
	}
	assert.NoError(t, l.Check(ca().issue(3), now), "it was taken off")
	assert.NoError(t, l.Check(ca().issue(4), now))
	assert.Error(t, l.Check(nil, now))
}

// Tables are in the order of their bytes however the numbers lie: each list is
// compared with a map, and with crypto/x509.
func TestLookupFindsWhatIsThereAndNothingElse(t *testing.T) {
	random := mathrand.New(mathrand.NewPCG(4, 4))
	bytesOf := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	for name, next := range map[string]func(i int) []byte{
		"numbers of 20 octets at random":             func(int) []byte { return bytesOf(20) },
		"numbers of any length":                      func(int) []byte { return bytesOf(1 + random.IntN(30)) },
		"numbers of one octet":                       func(int) []byte { return bytesOf(1) },
		"numbers of two octets":                      func(int) []byte { return bytesOf(2) },
		"numbers that count up":                      func(i int) []byte { return big.NewInt(1_000_000 + int64(i)).Bytes() },
		"numbers that count down":                    func(i int) []byte { return big.NewInt(9_000_000 - int64(i)).Bytes() },
		"numbers that begin alike":                   func(int) []byte { return append(bytes.Repeat([]byte{7}, 12), bytesOf(8)...) },
		"numbers that end alike":                     func(int) []byte { return append(bytesOf(3), bytes.Repeat([]byte{7}, 12)...) },
		"numbers that begin alike, but for the last": func(i int) []byte { return append([]byte{byte(i / 2999), 0, 0, 0, 0, 0, 0, 0, 0}, bytesOf(3)...) },
		"numbers in two clusters": func(i int) []byte {
			return append([]byte{byte(i % 2 * 0x7f)}, append(make([]byte, 12), bytesOf(2)...)...)
		},
		"numbers of many octets of few values": func(int) []byte {
			b := bytesOf(128)
			for i := range b {
				b[i] &= 1
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			var entries []byte
			for i := range 3000 {
				content, ok := integerDER(next(i))
				if !ok {
					continue
				}
				date := time.Unix(1_700_000_000+random.Int64N(1000), 0).UTC().Format("060102150405Z")
				entries = append(entries, entryOf(content, utcTime(date), entryExtension(21, nil, []byte{0x0a, 1, byte(1 + random.IntN(6))}))...)
			}
			h := newHandmade()
			h.revoked = element(0x30, entries)
			compare(t, h.sign())
		})
	}
}

// integerDER makes an INTEGER of some octets, leaving out what DER does not have.
func integerDER(b []byte) ([]byte, bool) {
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	return integer(b...), len(b) > 0
}

// compare holds a list that we read against what crypto/x509 makes of it.
func compare(t testing.TB, der []byte) {
	l, err := crl.Parse(der)
	require.NoError(t, err)
	theirs, err := x509.ParseRevocationList(der)
	require.NoError(t, err)

	want := map[string]crl.Entry{}
	for _, e := range theirs.RevokedCertificateEntries {
		entry := crl.Entry{RevokedAt: e.RevocationTime, Reason: crl.Reason(e.ReasonCode)}
		for _, x := range e.Extensions {
			if x.Id.Equal([]int{2, 5, 29, 24}) {
				_, err := asn1.UnmarshalWithParams(x.Value, &entry.InvalidityDate, "generalized")
				require.NoError(t, err)
			}
		}
		key := e.SerialNumber.String()
		known, twice := want[key]
		if !twice || before(entry, known) {
			want[key] = entry
		}
	}
	require.Equal(t, len(want), l.Len())
	last := new(big.Int)
	n := 0
	for serial, e := range l.All() {
		known, ok := want[serial.String()]
		require.True(t, ok, serial)
		requireEntry(t, known, e)
		found, ok := l.Lookup(serial)
		require.True(t, ok, serial)
		require.Equal(t, e, found)
		for _, near := range []int64{-1, 1} {
			last.Add(serial, big.NewInt(near))
			_, has := want[last.String()]
			_, ok = l.Lookup(last)
			require.Equal(t, has, ok, last)
		}
		n++
	}
	require.Equal(t, len(want), n)

	assert.Equal(t, theirs.Issuer, l.Issuer)
	assert.Equal(t, theirs.RawIssuer, l.RawIssuer)
	assert.True(t, theirs.ThisUpdate.Equal(l.ThisUpdate))
	assert.True(t, theirs.NextUpdate.Equal(l.NextUpdate))
	assert.Equal(t, theirs.Number, l.Number)
	assert.Equal(t, theirs.AuthorityKeyId, l.AuthorityKeyID)
	assert.Equal(t, theirs.SignatureAlgorithm, l.SignatureAlgorithm)
}

// before is the order in which entries of one serial number count.
func before(a, b crl.Entry) bool {
	if off := b.Reason == crl.RemoveFromCRL; off != (a.Reason == crl.RemoveFromCRL) {
		return off
	}
	return cmp.Or(a.RevokedAt.Compare(b.RevokedAt), cmp.Compare(a.Reason, b.Reason),
		-cmp.Compare(zeroes(a.InvalidityDate), zeroes(b.InvalidityDate)), a.InvalidityDate.Compare(b.InvalidityDate)) < 0
}

func zeroes(t time.Time) int {
	if t.IsZero() {
		return 1
	}
	return 0
}

func requireEntry(t testing.TB, want, got crl.Entry) {
	require.Equal(t, want.Reason, got.Reason)
	require.True(t, want.RevokedAt.Equal(got.RevokedAt), "%s, %s", want.RevokedAt, got.RevokedAt)
	require.True(t, want.InvalidityDate.Equal(got.InvalidityDate), "%s, %s", want.InvalidityDate, got.InvalidityDate)
}

// Lists as crypto/x509 makes them.
func TestListsMadeByGo(t *testing.T) {
	random := mathrand.New(mathrand.NewPCG(5, 5))
	for range 200 {
		entries := make([]x509.RevocationListEntry, random.IntN(60))
		for i := range entries {
			serial := new(big.Int).Lsh(big.NewInt(random.Int64N(1000)), uint(random.IntN(150)))
			if random.IntN(10) == 0 {
				serial.Neg(serial)
			}
			entries[i] = x509.RevocationListEntry{
				SerialNumber:   serial,
				RevocationTime: now.Add(-time.Duration(random.Int64N(1e16)) + time.Duration(random.IntN(2))*time.Hour*24*365*40).Truncate(time.Second),
				ReasonCode:     random.IntN(12),
			}
			if random.IntN(5) == 0 {
				date := must(asn1.MarshalWithParams(now.Add(-time.Duration(random.Int64N(1e17))).Truncate(time.Second), "generalized"))
				entries[i].ExtraExtensions = append(entries[i].ExtraExtensions, extension(24, false, date))
			}
		}
		compare(t, ca().list(revoking(entries...), func(l *x509.RevocationList) { l.Number = big.NewInt(random.Int64()) }))
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	h := newHandmade()
	entries := bigEntries(1000, false)
	h.revoked = element(0x30, entries)
	l := must(crl.Parse(h.sign()))
	there, absent, negative := bigSerial(entries, 1000, 500), new(big.Int).SetBit(big.NewInt(1), 159, 1), big.NewInt(-1)
	_, ok := l.Lookup(there)
	require.True(t, ok)
	for _, n := range []*big.Int{there, absent, negative, new(big.Int)} {
		assert.Zero(t, testing.AllocsPerRun(100, func() { l.Lookup(n) }))
	}
}

// The bound of the package documentation, on a list that is small enough for every
// run; the benchmarks measure a million.
func TestListIsCompact(t *testing.T) {
	const n = 50_000
	h := newHandmade()
	h.revoked = element(0x30, bigEntries(n, false))
	der := h.sign()
	m := memoryOf(func() any { return ours(t, der) })
	other := memoryOf(func() any { return theirs(t, der) })
	assert.Less(t, float64(m.kept)/n, 30.0)
	assert.Less(t, float64(m.allocated)/n, 30.0)
	assert.Less(t, float64(m.allocated), float64(other.allocated)/4)
	assert.Less(t, float64(m.kept), float64(other.kept)/4)
}

// What a hostile list makes us allocate is bounded by its size.
func TestHostileListsTakeNoMoreThanTheyHave(t *testing.T) {
	shortest := element(0x30, integer(5), utcTime("260101000000Z"))
	for name, entries := range map[string][]byte{
		"as short as entries can be": bytes.Repeat(shortest, 100_000),
		"with every time there is": slices.Concat(bytes.Repeat(shortest, 100_000),
			entryOf(integer(5), generalizedTime("99991231235959Z"), entryExtension(24, nil, generalizedTime("00000101000000Z")))),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHandmade()
			h.revoked = element(0x30, entries)
			der := h.sign()
			m := memoryOf(func() any {
				l := ours(t, der)
				assert.Equal(t, 1, l.Len())
				return l
			})
			assert.Less(t, m.allocated, uint64(len(der)))
		})
	}
}

func TestListIsSafeForConcurrentUse(t *testing.T) {
	l := must(crl.Parse(ca().list(revoking(revoked(5, now, crl.KeyCompromise)))))
	cert := ca().issue(5)
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 20 {
				assert.NoError(t, l.CheckSignatureFrom(ca().Certificate))
				assert.NoError(t, l.Covers(cert))
				assert.Error(t, l.Check(cert, now))
				assert.Equal(t, 1, l.Len())
			}
		}()
	}
	wg.Wait()
}

func TestZeroListIsEmpty(t *testing.T) {
	var l crl.List
	assert.Zero(t, l.Len())
	_, ok := l.Lookup(big.NewInt(5))
	assert.False(t, ok)
	for range l.All() {
		t.Error("it has no entries")
	}
}
