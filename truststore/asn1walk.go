package truststore

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// What a file may ask of the parsers behind the walk. Real PKCS#7 and PKCS#12
// files nest about fifteen deep; a certificate in them has some 150 elements.
const (
	maxASN1Depth    = 32
	maxASN1Elements = 1 << 22
)

const (
	tagOctetString = 0x04
	tagSequence    = 0x30
	constructed    = 0x20
)

// asn1Header is what stands before the content of a BER element.
type asn1Header struct {
	tag    byte // the first byte: class, constructed, number
	size   int  // of the header itself
	length int  // of the content; indefinite if it ends with two zero bytes
}

const indefinite = -1

func (h asn1Header) constructed() bool { return h.tag&constructed != 0 }

var errASN1Truncated = errors.New("it ends in the middle: the file is cut off or damaged")

// readASN1Header reads the header at the start of data and checks that the
// content fits into what follows.
func readASN1Header(data []byte) (h asn1Header, err error) {
	if len(data) < 2 {
		return h, errASN1Truncated
	}
	h.tag = data[0]
	at := 1
	if h.tag&0x1f == 0x1f { // the number follows, seven bits a byte
		for {
			if at == len(data) {
				return h, errASN1Truncated
			}
			at++
			if data[at-1] < 0x80 {
				break
			}
			if at > 4 {
				return h, errors.New("an ASN.1 tag number is too large")
			}
		}
	}
	if at == len(data) {
		return h, errASN1Truncated
	}
	first := data[at]
	at++
	switch {
	case first < 0x80:
		h.length = int(first)
	case first == 0x80:
		if !h.constructed() {
			return h, errors.New("an ASN.1 value has no length")
		}
		h.length = indefinite
	default:
		n := int(first & 0x7f)
		if n > 4 {
			return h, errors.New("an ASN.1 length is beyond reason")
		}
		if len(data)-at < n {
			return h, errASN1Truncated
		}
		var length uint64
		for _, b := range data[at : at+n] {
			length = length<<8 | uint64(b)
		}
		at += n
		if length > uint64(len(data)-at) {
			return h, fmt.Errorf("an ASN.1 element says that it has %d bytes, but %d follow: the file is cut off or damaged", length, len(data)-at)
		}
		h.length = int(length)
	}
	if h.length > len(data)-at {
		return h, fmt.Errorf("an ASN.1 element says that it has %d bytes, but %d follow: the file is cut off or damaged", h.length, len(data)-at)
	}
	h.size = at
	return h, nil
}

// maxOID is in bytes; those that are used have some ten.
const maxOID = 64

// readOID reads an object identifier, of which encoding/asn1 and error messages
// make many times its size.
func readOID(in *cryptobyte.String, oid *asn1.ObjectIdentifier) bool {
	var content cryptobyte.String
	ahead := *in
	return ahead.ReadASN1(&content, cbasn1.OBJECT_IDENTIFIER) && len(content) <= maxOID && in.ReadASN1ObjectIdentifier(oid)
}

// walkASN1 measures the BER element at the start of data, with everything in
// it, before anything else looks into it: the depth, the number of elements, and
// each length against what surrounds it. It neither recurses nor allocates by
// what the input says. It returns the size of the element and whether there are
// forms in it that BER has and DER has not (see derOf).
func walkASN1(data []byte) (size int, ber bool, err error) {
	var ends [maxASN1Depth]int // of the open elements
	depth, at := 0, 0
	for elements := 1; ; elements++ {
		if elements > maxASN1Elements {
			return 0, false, fmt.Errorf("it has more than %d ASN.1 elements", maxASN1Elements)
		}
		limit := len(data)
		for i := depth - 1; i >= 0; i-- {
			if ends[i] != indefinite {
				limit = ends[i]
				break
			}
		}
		h, err := readASN1Header(data[at:limit])
		if err != nil {
			return 0, false, fmt.Errorf("at byte %d: %w", at, err)
		}
		at += h.size
		switch {
		case h.tag == 0 && depth > 0 && ends[depth-1] == indefinite:
			if h.length != 0 {
				return 0, false, fmt.Errorf("at byte %d: an ASN.1 end mark has content", at)
			}
			depth--
		case h.constructed():
			if depth == maxASN1Depth {
				return 0, false, fmt.Errorf("at byte %d: more than %d ASN.1 elements inside one another", at, maxASN1Depth)
			}
			ber = ber || h.length == indefinite || h.tag == tagOctetString|constructed
			ends[depth] = indefinite
			if h.length != indefinite {
				ends[depth] = at + h.length
			}
			depth++
		default:
			at += h.length
		}
		for depth > 0 && ends[depth-1] == at {
			depth--
		}
		if depth == 0 {
			return at, ber, nil
		}
	}
}

// derOf walks the element at the start of data and returns it with definite
// lengths and unbroken octet strings, as DER wants them, and what follows it.
// Old CAs' .p7b files and some writers of PKCS#12 use those two liberties of
// BER. Parts without them, such as certificates, keep their bytes: they are
// signed. An element without them is returned as it is, not copied.
func derOf(data []byte) (der, rest []byte, err error) {
	size, ber, err := walkASN1(data)
	if err != nil {
		return nil, nil, err
	}
	if !ber {
		return data[:size], data[size:], nil
	}
	der, _, err = appendDER(make([]byte, 0, size), data[:size])
	return der, data[size:], err
}

// appendDER appends the first element of data to out, as DER, and returns what
// follows it. walkASN1 has bounded the depth to which it recurses.
func appendDER(out, data []byte) (_, rest []byte, err error) {
	h, err := readASN1Header(data)
	if err != nil {
		return nil, nil, err
	}
	size, ber, err := walkASN1(data)
	if err != nil {
		return nil, nil, err
	}
	if !ber {
		return append(out, data[:size]...), data[size:], nil
	}
	content, rest := data[h.size:size], data[size:]
	if h.length == indefinite {
		content = content[:len(content)-2]
	}
	// The length is known once the content is there, and inserted before it: a
	// buffer for each depth would multiply a large file.
	divided := h.tag == tagOctetString|constructed
	if divided {
		out = append(out, tagOctetString)
	} else {
		out = append(out, data[:tagSize(data)]...)
	}
	start := len(out)
	if divided {
		out, err = appendOctets(out, content)
	}
	for !divided && err == nil && len(content) > 0 {
		out, content, err = appendDER(out, content)
	}
	if err != nil {
		return nil, nil, err
	}
	return slices.Insert(out, start, appendDERLength(nil, len(out)-start)...), rest, nil
}

// appendOctets appends what the octet strings in content hold.
func appendOctets(out, content []byte) ([]byte, error) {
	for len(content) > 0 {
		h, err := readASN1Header(content)
		if err != nil {
			return nil, err
		}
		size, _, err := walkASN1(content)
		if err != nil {
			return nil, err
		}
		body := content[h.size:size]
		switch h.tag {
		case tagOctetString:
			out = append(out, body...)
		case tagOctetString | constructed:
			if h.length == indefinite {
				body = body[:len(body)-2]
			}
			if out, err = appendOctets(out, body); err != nil {
				return nil, err
			}
		default:
			return nil, errors.New("a divided octet string has something else in it")
		}
		content = content[size:]
	}
	return out, nil
}

func tagSize(data []byte) int {
	if data[0]&0x1f != 0x1f {
		return 1
	}
	n := 2
	for data[n-1] >= 0x80 {
		n++
	}
	return n
}

func appendDERLength(out []byte, n int) []byte {
	if n < 0x80 {
		return append(out, byte(n))
	}
	bytes := 1
	for m := n >> 8; m > 0; m >>= 8 {
		bytes++
	}
	out = append(out, 0x80|byte(bytes))
	for i := bytes - 1; i >= 0; i-- {
		out = append(out, byte(n>>(8*i)))
	}
	return out
}
