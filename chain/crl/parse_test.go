package crl_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
)

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

func TestParseTakesWhatIsUnusualAndHarmless(t *testing.T) {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	serial := func(n int64) *big.Int { return big.NewInt(n) }
	for _, c := range []struct {
		name   string
		change func(*handmade)
		check  func(*testing.T, *crl.List)
	}{
		{"no entries at all", func(h *handmade) { h.revoked = nil },
			func(t *testing.T, l *crl.List) { assert.Zero(t, l.Len()) }},
		{"an empty list of entries", func(h *handmade) { h.revoked = element(0x30) },
			func(t *testing.T, l *crl.List) { assert.Zero(t, l.Len()) }},
		{"no extensions", func(h *handmade) { h.extensions = nil },
			func(t *testing.T, l *crl.List) {
				assert.Nil(t, l.Number)
				assert.Nil(t, l.AuthorityKeyID)
			}},
		{"nextUpdate equal to thisUpdate", func(h *handmade) { h.nextUpdate = h.thisUpdate },
			func(t *testing.T, l *crl.List) { assert.Equal(t, l.ThisUpdate, l.NextUpdate) }},
		{"times in the form for after 2050", func(h *handmade) {
			h.thisUpdate, h.nextUpdate = generalizedTime("20261123000000Z"), generalizedTime("20510101000000Z")
		}, func(t *testing.T, l *crl.List) {
			assert.Equal(t, time.Date(2051, 1, 1, 0, 0, 0, 0, time.UTC), l.NextUpdate)
		}},
		{"an extension that is not understood and not critical", func(h *handmade) {
			h.extensions = element(0xa0, element(0x30, entryExtension(46, nil, []byte{5, 0})))
		}, nil},
		{"a CRL number that is not critical", func(h *handmade) {
			h.extensions = element(0xa0, element(0x30, entryExtension(20, nil, integer(8))))
		}, func(t *testing.T, l *crl.List) { assert.Equal(t, serial(8), l.Number) }},
		{"a CRL number of twenty octets", func(h *handmade) {
			h.extensions = element(0xa0, element(0x30, entryExtension(20, nil, integer(append([]byte{0}, bytes.Repeat([]byte{0xff}, 20)...)...))))
		}, func(t *testing.T, l *crl.List) { assert.Equal(t, 160, l.Number.BitLen()) }},
		{"serial numbers zero, negative and over-long", func(h *handmade) {
			h.revoked = element(0x30,
				entryOf(integer(bytes.Repeat([]byte{0x7f}, 128)...), utcTime("260101000000Z")),
				entryOf(integer(0), utcTime("260101000000Z")),
				entryOf(integer(bytes.Repeat([]byte{0x80}, 128)...), utcTime("260101000000Z")),
				entryOf(integer(0xff, 0x7f), utcTime("260101000000Z")),
				entryOf(integer(0x80), utcTime("260101000000Z")),
				entryOf(integer(0xff), utcTime("260101000000Z")))
		}, func(t *testing.T, l *crl.List) {
			assert.Equal(t, 6, l.Len())
			long := new(big.Int).SetBytes(bytes.Repeat([]byte{0x7f}, 128))
			for _, n := range []*big.Int{long, serial(0), serial(-129), serial(-128), serial(-1)} {
				_, ok := l.Lookup(n)
				assert.True(t, ok, n)
			}
			for _, n := range []*big.Int{serial(1), serial(128), serial(127), serial(255), serial(-130), serial(-2),
				new(big.Int).Neg(long), new(big.Int).Lsh(long, 1), new(big.Int).Lsh(serial(-1), 1024), new(big.Int).Lsh(serial(1), 1_000_000), nil} {
				_, ok := l.Lookup(n)
				assert.False(t, ok, n)
			}
		}},
		{"a serial number more than once: the earliest date counts", func(h *handmade) {
			h.revoked = element(0x30,
				entryOf(integer(5), utcTime("260103000000Z"), entryExtension(21, nil, []byte{0x0a, 1, 1})),
				entryOf(integer(5), utcTime("260101000000Z"), entryExtension(21, nil, []byte{0x0a, 1, 4})),
				entryOf(integer(6), utcTime("260101000000Z")),
				entryOf(integer(5), utcTime("260102000000Z"), entryExtension(21, nil, []byte{0x0a, 1, 6})))
		}, func(t *testing.T, l *crl.List) {
			assert.Equal(t, 2, l.Len())
			e, _ := l.Lookup(serial(5))
			assert.Equal(t, crl.Entry{RevokedAt: day, Reason: crl.Superseded}, e)
		}},
		{"a serial number that is taken off and is on the list anyway", func(h *handmade) {
			h.revoked = element(0x30,
				entryOf(integer(5), utcTime("260101000000Z"), entryExtension(21, nil, []byte{0x0a, 1, 8})),
				entryOf(integer(5), utcTime("260103000000Z"), entryExtension(21, nil, []byte{0x0a, 1, 1})))
		}, func(t *testing.T, l *crl.List) {
			assert.Equal(t, 1, l.Len())
			e, _ := l.Lookup(serial(5))
			assert.Equal(t, crl.KeyCompromise, e.Reason)
			assert.Error(t, l.Check(ca().issue(5), now))
		}},
		{"a reason that the standard does not name", func(h *handmade) {
			h.revoked = element(0x30, entryOf(integer(5), utcTime("260101000000Z"), entryExtension(21, nil, []byte{0x0a, 1, 99})))
		}, func(t *testing.T, l *crl.List) {
			e, _ := l.Lookup(serial(5))
			assert.Equal(t, crl.Reason(99), e.Reason)
			assert.Error(t, l.Check(ca().issue(5), now))
		}},
		{"a critical reason and invalidity date", func(h *handmade) {
			h.revoked = element(0x30,
				entryOf(integer(4), utcTime("260101000000Z")),
				entryOf(integer(5), utcTime("260101000000Z"), entryExtension(21, isCritical, []byte{0x0a, 1, 1}),
					entryExtension(24, isCritical, generalizedTime("20251231235959Z"))))
		}, func(t *testing.T, l *crl.List) {
			e, _ := l.Lookup(serial(5))
			assert.Equal(t, crl.Entry{RevokedAt: day, InvalidityDate: day.Add(-time.Second), Reason: crl.KeyCompromise}, e)
			e, _ = l.Lookup(serial(4))
			assert.Equal(t, crl.Entry{RevokedAt: day}, e)
		}},
		{"an entry extension that is not understood and not critical", func(h *handmade) {
			h.revoked = element(0x30, entryOf(integer(5), utcTime("260101000000Z"), entryExtension(23, nil, []byte{5, 0})))
		}, nil},
		{"dates millennia apart", func(h *handmade) {
			h.revoked = element(0x30,
				entryOf(integer(1), generalizedTime("00010102000000Z")),
				entryOf(integer(2), generalizedTime("99991231235959Z")),
				entryOf(integer(3), utcTime("491231235959Z")),
				entryOf(integer(4), utcTime("500101000000Z"), entryExtension(24, nil, generalizedTime("19000228000000Z"))))
		}, func(t *testing.T, l *crl.List) {
			for n, want := range map[int64]crl.Entry{
				1: {RevokedAt: time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)},
				2: {RevokedAt: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
				3: {RevokedAt: time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC)},
				4: {RevokedAt: time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC), InvalidityDate: time.Date(1900, 2, 28, 0, 0, 0, 0, time.UTC)},
			} {
				e, _ := l.Lookup(serial(n))
				assert.Equal(t, want, e)
			}
		}},
		// 2^32-2 seconds is the longest span that four bytes hold.
		{"dates as far apart as four bytes allow", func(h *handmade) {
			h.revoked = element(0x30, entryOf(integer(1), generalizedTime("20000101000000Z")), entryOf(integer(2), generalizedTime("21360207062814Z")))
		}, func(t *testing.T, l *crl.List) {
			e, _ := l.Lookup(serial(2))
			assert.Equal(t, time.Date(2136, 2, 7, 6, 28, 14, 0, time.UTC), e.RevokedAt)
		}},
		{"dates a second further apart", func(h *handmade) {
			h.revoked = element(0x30, entryOf(integer(1), generalizedTime("20000101000000Z")), entryOf(integer(2), generalizedTime("21360207062815Z")))
		}, func(t *testing.T, l *crl.List) {
			e, _ := l.Lookup(serial(2))
			assert.Equal(t, time.Date(2136, 2, 7, 6, 28, 15, 0, time.UTC), e.RevokedAt)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHandmade()
			c.change(h)
			der := h.sign()
			_, err := x509.ParseRevocationList(der)
			require.NoError(t, err, "the test is wrong")
			l, err := crl.Parse(der)
			require.NoError(t, err)
			assert.NoError(t, l.CheckSignatureFrom(ca().Certificate))
			if c.check != nil {
				c.check(t, l)
			}
		})
	}
}

func TestParseRefusesWhatItDoesNotUnderstand(t *testing.T) {
	entry := func(parts ...[]byte) func(*handmade) {
		return func(h *handmade) { h.revoked = element(0x30, parts...) }
	}
	extensions := func(list ...[]byte) func(*handmade) {
		return func(h *handmade) { h.extensions = element(0xa0, element(0x30, list...)) }
	}
	point := func(parts ...[]byte) func(*handmade) {
		return extensions(entryExtension(28, isCritical, element(0x30, parts...)))
	}
	date := utcTime("260101000000Z")
	good := entryOf(integer(4), date)
	for _, c := range []struct {
		name   string
		change func(*handmade)
		want   string
	}{
		{"version 1", func(h *handmade) { h.version = nil }, "version 1"},
		{"version 3", func(h *handmade) { h.version = integer(2) }, "version 3"},
		{"a negative version", func(h *handmade) { h.version = integer(0x80) }, "version -127"},
		{"two versions of the algorithm", func(h *handmade) {
			h.inner = element(0x30, element(0x06, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03}))
		}, "don't match"},
		{"no nextUpdate", func(h *handmade) { h.nextUpdate = nil }, "next one is due"},
		{"nextUpdate before thisUpdate", func(h *handmade) { h.nextUpdate = utcTime("261122235959Z") }, "before it begins"},
		{"a time without seconds", func(h *handmade) { h.thisUpdate = utcTime("2611230000Z") }, "thisUpdate"},
		{"a time of another zone", func(h *handmade) { h.nextUpdate = utcTime("261124000000+0100") }, "nextUpdate"},
		{"a time with a fraction", func(h *handmade) { h.nextUpdate = generalizedTime("20261124000000.5Z") }, "nextUpdate"},
		{"a 30th of February", func(h *handmade) { h.thisUpdate = utcTime("260230000000Z") }, "thisUpdate"},
		{"a 13th month", func(h *handmade) { h.thisUpdate = utcTime("261301000000Z") }, "thisUpdate"},
		{"a day 0", func(h *handmade) { h.thisUpdate = utcTime("260100000000Z") }, "thisUpdate"},
		{"a 60th second", func(h *handmade) { h.thisUpdate = utcTime("260101000060Z") }, "thisUpdate"},
		{"a sign in a time", func(h *handmade) { h.thisUpdate = utcTime("26010100-100Z") }, "thisUpdate"},
		{"something after the extensions", func(h *handmade) { h.behind = []byte{5, 0} }, "where its extensions belong"},
		{"something in place of the extensions", func(h *handmade) { h.extensions = []byte{5, 0} }, "where its extensions belong"},
		{"data after the signature", func(h *handmade) { h.behindSignature = []byte{5, 0} }, "a content, an algorithm and a signature"},
		{"data after the list", func(h *handmade) { h.behindAll = []byte{0} }, "1 bytes after the list"},
		{"a line break after the list", func(h *handmade) { h.behindAll = []byte{'\n'} }, "1 bytes after the list"},
		{"a signature of seven bits in the last octet", func(h *handmade) { h.unusedBits = 1 }, ""},
		{"a name that crypto/x509 does not take", func(h *handmade) {
			h.issuer = element(0x30, element(0x31, element(0x30, element(0x06, []byte{0x55, 4, 3}), element(0x13, []byte("a_")))))
		}, "PrintableString"},
		{"a name of 100 KB", func(h *handmade) {
			h.issuer = element(0x30, element(0x31, element(0x30, element(0x06, []byte{0x55, 4, 3}), element(0x0c, bytes.Repeat([]byte("a"), 100_000)))))
		}, "65536 bytes"},

		{"a delta CRL", extensions(entryExtension(27, isCritical, integer(3))), "delta CRL"},
		{"a delta CRL that does not say critical", extensions(entryExtension(27, nil, integer(3))), "delta CRL"},
		{"an indirect CRL", point(element(0x84, []byte{0xff})), "indirect CRL"},
		{"an issuing distribution point that is none", extensions(entryExtension(28, isCritical, integer(3))), "issuing distribution point"},
		{"an issuing distribution point with data behind", extensions(entryExtension(28, isCritical, append(element(0x30), 0))), "issuing distribution point"},
		{"an issuing distribution point in another order", point(element(0x82, []byte{0xff}), element(0x81, []byte{0xff})), "issuing distribution point"},
		{"an issuing distribution point without a name in its names", point(element(0xa0, element(0xa0))), "issuing distribution point"},
		{"a flag that is neither true nor false", point(element(0x81, []byte{1})), "issuing distribution point"},
		{"a flag of two octets", point(element(0x81, []byte{0xff, 0xff})), "issuing distribution point"},
		{"only users and only CAs", point(element(0x81, []byte{0xff}), element(0x82, []byte{0xff})), "rules out all"},
		{"65 names", point(element(0xa0, element(0xa0, bytes.Repeat(element(0x86, []byte("http://a")), 65)))), "more than 64 names"},
		{"a critical extension that is not understood", extensions(entryExtension(46, isCritical, []byte{5, 0})), `critical extension "2.5.29.46"`},
		{"an extension twice", extensions(entryExtension(20, nil, integer(1)), entryExtension(20, nil, integer(1))), "twice"},
		{"an extension with data behind", extensions(element(0x30, element(0x06, []byte{0x55, 0x1d, 46}), element(0x04), []byte{5, 0})), "extensions is malformed"},
		{"something after the list of extensions", func(h *handmade) { h.extensions = element(0xa0, element(0x30), null) }, "its extensions are malformed"},
		{"33 extensions", func(h *handmade) {
			var all [][]byte
			for i := range 33 {
				all = append(all, entryExtension(byte(60+i), nil, nil))
			}
			extensions(all...)(h)
		}, "more than 32 extensions"},
		{"a critical CRL number", extensions(entryExtension(20, isCritical, integer(8))), "section 5.2.3"},
		{"an empty issuing distribution point", extensions(entryExtension(28, isCritical, element(0x30))), "section 5.2.5"},
		{"one that says about each kind that it is not only for it", extensions(entryExtension(28, isCritical, element(0x30, element(0x81, []byte{0})))), "section 5.2.5"},
		{"a negative CRL number", extensions(entryExtension(20, nil, integer(0x80))), "CRL number is negative"},
		{"a CRL number of 21 octets", extensions(entryExtension(20, nil, integer(append([]byte{1}, make([]byte, 20)...)...))), "more than 20 octets"},
		{"a CRL number with data behind", extensions(entryExtension(20, nil, append(integer(1), 0))), "CRL number is malformed"},
		{"a critical authority key identifier", extensions(entryExtension(35, isCritical, element(0x30))), "authority key identifier"},

		{"an entry by another CA", entry(good, entryOf(integer(5), date, entryExtension(29, isCritical, element(0x30)))), "entry 2, at byte 1"},
		{"an entry by another CA that does not say critical", entry(entryOf(integer(5), date, entryExtension(29, nil, element(0x30)))), "indirect CRL"},
		{"a critical entry extension that is not understood", entry(entryOf(integer(5), date, entryExtension(23, isCritical, element(0x30)))), `critical extension "2.5.29.23"`},
		{"an entry extension twice", entry(entryOf(integer(5), date, entryExtension(21, nil, []byte{0x0a, 1, 1}), entryExtension(21, nil, []byte{0x0a, 1, 8}))), "twice"},
		{"an entry with 33 extensions", func(h *handmade) {
			var all [][]byte
			for i := range 33 {
				all = append(all, entryExtension(byte(60+i), nil, nil))
			}
			entry(entryOf(integer(5), date, all...))(h)
		}, "more than 32 extensions"},
		{"an entry extension with data behind", entry(entryOf(integer(5), date, element(0x30, element(0x06, []byte{0x55, 0x1d, 21}), element(0x04, []byte{0x0a, 1, 1}), []byte{5, 0}))), "extensions is malformed"},
		{"an entry extension without a good identifier", entry(entryOf(integer(5), date, element(0x30, element(0x06, []byte{0x80, 1}), element(0x04)))), "extensions is malformed"},
		{"an entry extension whose critical is neither true nor false", entry(entryOf(integer(5), date, entryExtension(21, []byte{1, 1, 1}, []byte{0x0a, 1, 1}))), "extensions is malformed"},
		{"a reason of two octets", entry(entryOf(integer(5), date, entryExtension(21, nil, []byte{0x0a, 2, 1, 1}))), "reason code"},
		{"a negative reason", entry(entryOf(integer(5), date, entryExtension(21, nil, []byte{0x0a, 1, 0xff}))), "reason code"},
		{"a reason that is an INTEGER", entry(entryOf(integer(5), date, entryExtension(21, nil, integer(1)))), "reason code"},
		{"an invalidity date that is a UTCTime", entry(entryOf(integer(5), date, entryExtension(24, nil, date))), "invalidity date"},
		{"an invalidity date with data behind", entry(entryOf(integer(5), date, entryExtension(24, nil, append(generalizedTime("20251231235959Z"), 0)))), "invalidity date"},
		{"a serial number of 129 octets", entry(entryOf(integer(bytes.Repeat([]byte{0x7f}, 129)...), date)), "128 octets"},
		{"a serial number with a zero too many", entry(entryOf(integer(0, 5), date)), "serial number is malformed"},
		{"a negative serial number with an octet too many", entry(entryOf(integer(0xff, 0x85), date)), "serial number is malformed"},
		{"a serial number without octets", entry(entryOf(integer(), date)), "serial number is malformed"},
		{"a revocation date that is none", entry(entryOf(integer(5), utcTime("260001000000Z"))), "revocation date"},
		{"an entry without a date", entry(element(0x30, integer(5))), "serial number, a date and extensions"},
		{"an entry with data behind", entry(element(0x30, integer(5), date, element(0x30), []byte{5, 0})), "serial number, a date and extensions"},
		{"an entry of another class of tag", entry(element(0x70, integer(5), date)), "entry 1"},
		{"a serial number of another class of tag", entry(element(0x30, element(0x42, []byte{5}), date)), "entry 1"},
		{"an entry with a length in another form than DER has", entry([]byte{0x30, 0x81, 18, 2, 1, 5}, date), "entry 1"},
		{"an entry that is none", entry(good, integer(5)), "entry 2"},
		{"an entry that is cut off", entry(good, []byte{0x30, 40, 2}), "entry 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHandmade()
			c.change(h)
			l, err := crl.Parse(h.sign())
			assert.Nil(t, l)
			require.Error(t, err)
			assert.ErrorContains(t, err, c.want)
			assert.True(t, strings.HasPrefix(err.Error(), "crl: "), err)
		})
	}
}

func TestParseTakesOnePEMBlock(t *testing.T) {
	der := newHandmade().sign()
	block := pemOf(der)
	for _, c := range []struct {
		name string
		data []byte
		want string // "" is fine
	}{
		{"one block", block, ""},
		{"with Windows line ends", bytes.ReplaceAll(block, []byte("\n"), []byte("\r\n")), ""},
		{"with text before it", slices.Concat([]byte("Certificate Revocation List (CRL):\n        Version 2 (0x1)\n"), block), ""},
		{"with white space after it", append(slices.Clone(block), " \r\n\n"...), ""},
		{"two of them", slices.Concat(block, block), "more than one"},
		{"a damaged one before it", slices.Concat([]byte("-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n"), block), "more than one"},
		{"a certificate before it", slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca().Raw}), block), "more than one"},
		{"a certificate", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca().Raw}), `type "CERTIFICATE"`},
		{"text after it", append(slices.Clone(block), "more"...), "after the PEM block"},
		{"headers", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der, Headers: map[string]string{"a": "b"}}), "headers"},
		{"cut off", block[:len(block)/2], "damaged"},
		{"not at the start of a line", slices.Concat([]byte("text "), block), "damaged"},
		{"data in it after the list", pemOf(append(slices.Clone(der), 0)), "1 bytes after"},
		{"an empty block", pemOf(nil), "not a whole SEQUENCE"},
		{"nothing", nil, "empty"},
		{"a page of a web server", []byte("<!DOCTYPE html>\n<title>404</title>\x1b" + strings.Repeat("a", 1000)), `begins with "<!DOCTYPE html>\n<title>404</title>\x1baaa`},
		{"a certificate in DER", ca().Raw, "version"},
		{"a list cut off", der[:len(der)-1], "not a whole SEQUENCE"},
		{"one byte", []byte{0x30}, "not a whole SEQUENCE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := crl.Parse(c.data)
			if c.want == "" {
				require.NoError(t, err)
				assert.Equal(t, 1, l.Len())
				return
			}
			assert.Nil(t, l)
			require.ErrorContains(t, err, c.want)
			assert.Less(t, len(err.Error()), 300)
		})
	}
}

func TestListKeepsNothingOfTheInput(t *testing.T) {
	for _, a := range []authority{ca(), newAuthority("Ed25519 CA", ed25519Key())} {
		der := a.list(revoking(revoked(5, now, crl.KeyCompromise)),
			extended(28, true, element(0x30, element(0xa0, element(0xa0, element(0x86, []byte("http://a")))))))
		l, err := crl.Parse(der)
		require.NoError(t, err)
		clear(der)
		assert.NoError(t, l.CheckSignatureFrom(a.Certificate))
		e, ok := l.Lookup(big.NewInt(5))
		assert.True(t, ok)
		assert.Equal(t, crl.Entry{RevokedAt: now, Reason: crl.KeyCompromise}, e)
		assert.NoError(t, l.Covers(a.issue(5, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://a"} })))
	}
}

// Every beginning of a list is an error, and nothing else.
func TestParseRefusesEveryBeginning(t *testing.T) {
	der := ca().list(revoking(revoked(5, now, crl.KeyCompromise)))
	for n := range der {
		_, err := crl.Parse(der[:n])
		require.Error(t, err, n)
	}
}
