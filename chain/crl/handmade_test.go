package crl_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"time"
)

// handmade is a list in parts, each as its DER, so that each can be wrong.
type handmade struct {
	version, inner, issuer, thisUpdate, nextUpdate []byte
	revoked                                        []byte // the field revokedCertificates; nil for none
	extensions                                     []byte // the field crlExtensions
	behind                                         []byte // in the content, after everything
	outer                                          []byte
	unusedBits                                     byte
	behindSignature                                []byte
	behindAll                                      []byte
}

// The DER of ecdsa-with-SHA256, RFC 5758 section 3.2.
var ecdsaSHA256 = element(0x30, element(0x06, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02}))

func utcTime(text string) []byte         { return element(0x17, []byte(text)) }
func generalizedTime(text string) []byte { return element(0x18, []byte(text)) }
func integer(content ...byte) []byte     { return element(0x02, content) }
func entryOf(serial []byte, date []byte, extensions ...[]byte) []byte {
	if extensions == nil {
		return element(0x30, serial, date)
	}
	return element(0x30, serial, date, element(0x30, extensions...))
}

// entryExtension is one below id-ce.
func entryExtension(id byte, critical []byte, value []byte) []byte {
	return element(0x30, element(0x06, []byte{0x55, 0x1d, id}), critical, element(0x04, value))
}

var isCritical = []byte{1, 1, 0xff}

// newHandmade is a good list of ca with one entry, 5.
func newHandmade() *handmade {
	return &handmade{
		version:    integer(1),
		inner:      ecdsaSHA256,
		issuer:     ca().RawSubject,
		thisUpdate: utcTime("261123000000Z"),
		nextUpdate: utcTime("261124000000Z"),
		revoked:    element(0x30, entryOf(integer(5), utcTime("260101000000Z"))),
		extensions: element(0xa0, element(0x30, entryExtension(20, nil, integer(9)))),
		outer:      ecdsaSHA256,
	}
}

// unnumbered is a list without a CRL number, which crypto/x509 does not make.
func (a authority) unnumbered(extensions ...[]byte) []byte {
	h := newHandmade()
	h.issuer, h.extensions = a.RawSubject, nil
	if extensions != nil {
		h.extensions = element(0xa0, element(0x30, extensions...))
	}
	sum := sha256.Sum256(h.content())
	return h.with(must(a.key.Sign(rand.Reader, sum[:], crypto.SHA256)))
}

func (h *handmade) content() []byte {
	return element(0x30, h.version, h.inner, h.issuer, h.thisUpdate, h.nextUpdate, h.revoked, h.extensions, h.behind)
}

func (h *handmade) sign() []byte {
	sum := sha256.Sum256(h.content())
	return h.with(must(ecdsaKey().Sign(rand.Reader, sum[:], crypto.SHA256)))
}

func (h *handmade) with(signature []byte) []byte {
	return append(element(0x30, h.content(), h.outer, element(0x03, []byte{h.unusedBits}, signature), h.behindSignature), h.behindAll...)
}

// bigEntries are the entries of a list: numbers of 20 octets at random, dates and
// reasons.
func bigEntries(n int, ordered bool) []byte {
	random := mathrand.NewChaCha8([32]byte{})
	serials := make([][20]byte, n)
	for i := range serials {
		random.Read(serials[i][:])
		serials[i][0] = serials[i][0]&0x7f | 1
	}
	if ordered {
		slices.SortFunc(serials, func(a, b [20]byte) int { return slices.Compare(a[:], b[:]) })
	}
	from := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	var all []byte
	for i, s := range serials {
		date := from.Add(time.Duration(i) * time.Minute).Format("060102150405Z")
		all = append(all, entryOf(integer(s[:]...), utcTime(date),
			entryExtension(21, nil, element(0x0a, []byte{byte(1 + i%5)})))...)
	}
	return all
}

// bigSerial is the number of an entry of bigEntries.
func bigSerial(all []byte, n, i int) *big.Int {
	each := len(all) / n
	return new(big.Int).SetBytes(all[i*each+4 : i*each+24])
}

// pssList is a list of a CA with an RSA key, signed with RSASSA-PSS.
func pssList(a authority, entries []byte) []byte {
	head := must(x509.ParseRevocationList(a.list(func(l *x509.RevocationList) { l.SignatureAlgorithm = x509.SHA512WithRSAPSS })))
	var outer struct {
		Content   asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	must(asn1.Unmarshal(head.Raw, &outer))
	h := newHandmade()
	h.inner, h.outer, h.issuer = outer.Algorithm.FullBytes, outer.Algorithm.FullBytes, a.RawSubject
	h.revoked = element(0x30, entries)
	sum := sha512.Sum512(h.content())
	return h.with(must(a.key.Sign(rand.Reader, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA512})))
}
