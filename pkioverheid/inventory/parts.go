package inventory

import (
	"encoding/binary"
	"errors"
	"iter"
	"strconv"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// container visits what truststore reads, with the passwords that are known if it has
// one. borrowed says that data is used again.
func (c *contentReader) container(data []byte, borrowed bool, visit visitor) bool {
	switch {
	case isPKIPath(data):
		return c.pkiPath(data, borrowed, visit)
	case isOtherCMS(data):
		return true
	}
	c.stores++
	store := c.stores
	if o, tried := c.opened[store]; tried {
		return o.visit(c, data, store, visit)
	}
	if c.in.opening > maxOpening && c.walks == 1 { // the second walk finds what the first one did
		return c.tooSlow().visit(c, data, store, visit)
	}
	begin, first := time.Now(), true
	for e := range truststore.Entries(data, c.options...) {
		if first { // no password is tried as one, too
			c.in.opening, first = c.in.opening+time.Since(begin), false
		}
		if errors.Is(e.Err, truststore.ErrPassword) {
			return c.open(data, e.Err).visit(c, data, store, visit)
		}
		if !c.entry(e, data, "", store, borrowed, visit) {
			return false
		}
	}
	return true
}

// entry visits an entry of a container.
func (c *contentReader) entry(e truststore.Entry, data []byte, password string, store int, borrowed bool, visit visitor) bool {
	if c.ctx.Err() != nil {
		return false
	}
	if e.Err != nil && !c.matters(e, data) {
		return true
	}
	f := found{Entry: e, place: placeInContainer(e), borrowed: borrowed || e.Format != truststore.PEM, password: password}
	if e.Format == truststore.PKCS12 || e.Format == truststore.JKS {
		f.store = store
	}
	if f.store > 0 || e.Kind == truststore.PrivateKey {
		f.key = data
	}
	return visit(f)
}

func (o *opened) visit(c *contentReader, data []byte, store int, visit visitor) bool {
	if o.err != nil {
		return visit(found{Entry: truststore.Entry{Format: truststore.PKCS12, Err: o.err}})
	}
	for _, e := range o.entries {
		if !c.entry(e, data, o.password, store, true, visit) {
			return false
		}
	}
	return true
}

// maxOpening bounds the time that passwords take in one file, with all that is in it: each
// try can take seconds, and an archive can have thousands of key stores. Tests lower it.
var maxOpening = 2 * time.Minute

// tooSlow is what is known of the last key store when there is no time for it. It is said
// once a file.
func (c *contentReader) tooSlow() *opened {
	o := new(opened)
	if !c.in.slow {
		o.err = &trouble{text: "the key stores in this file take more than " + maxOpening.String() + " to open, and the rest of them was not read", advice: "copy them into files of their own"}
	}
	c.in.slow = true
	if c.opened == nil {
		c.opened = map[int]*opened{}
	}
	c.opened[c.stores] = o
	return o
}

// maxKeyStores is how many key stores that need a password are tried in one file: each
// try can take seconds.
const maxKeyStores = 1000

// open tries the passwords on the last key store.
func (c *contentReader) open(data []byte, locked error) *opened {
	o := new(opened)
	if c.opened == nil {
		c.opened = map[int]*opened{}
	}
	c.opened[c.stores] = o
	if len(c.opened) > maxKeyStores {
		o.err = &trouble{text: "there are more than " + strconv.Itoa(maxKeyStores) + " key stores with passwords in this file", advice: "copy them into files of their own"}
		return o
	}
	for password := range c.passwords() {
		if c.in.opening > maxOpening {
			return c.tooSlow()
		}
		begin := time.Now()
		o.password, o.entries, locked = password, nil, nil
		for e := range truststore.Entries(data, c.optionsWith(password)...) {
			if errors.Is(e.Err, truststore.ErrPassword) {
				locked = e.Err
				break
			}
			o.entries = append(o.entries, e)
		}
		c.in.opening += time.Since(begin)
		if locked == nil {
			return o
		}
	}
	t := &trouble{text: "none of the passwords tried opens this key store, or it is damaged", cause: locked}
	if errors.Is(locked, truststore.ErrNoPassword) {
		t.text, t.advice = "a key store whose password is not known", "give it through Config.Passwords"
	}
	o.err = t
	return o
}

// passwords are those that may open a key store or a key.
func (c *contentReader) passwords() iter.Seq[string] {
	return func(yield func(string) bool) {
		if c.Passwords == nil {
			return
		}
		for password := range c.Passwords(c.job.path) {
			if c.ctx.Err() != nil || password != "" && !yield(password) {
				return
			}
		}
	}
}

func (c *contentReader) optionsWith(password string) []truststore.Option {
	if password == "" {
		return c.options
	}
	return append(c.options[:len(c.options):len(c.options)], truststore.WithPassword(password))
}

// matters reports whether an error is about something that should have been a
// certificate.
func (c *contentReader) matters(e truststore.Entry, data []byte) bool {
	if c.kind == bareBase64 {
		data = beginOfBase64(data)
	}
	switch e.Format {
	case truststore.DER:
		return isCertificateStart(data) || c.kind == bareBase64 && e.Number > 0
	case "":
		return isJavaStore(data) || isCertificateStart(data) || isContainerStart(data)
	}
	return true
}

// pkiPath visits the certificates of a PKIPath, of which the last one is whose it is
// (X.509, section 10.1).
func (c *contentReader) pkiPath(data []byte, borrowed bool, visit visitor) bool {
	in := cryptobyte.String(data)
	var path, der cryptobyte.String
	if !in.ReadASN1(&path, asn1.SEQUENCE) {
		return visit(found{Entry: truststore.Entry{Format: truststore.DER, Err: errors.New("a path of certificates (PKIPath) that is cut off")}})
	}
	for n := 1; !path.Empty(); n++ {
		e := truststore.Entry{Format: truststore.DER, Kind: truststore.PlainCertificate, Number: n}
		if !path.ReadASN1Element(&der, asn1.SEQUENCE) {
			e.Err = errors.New("a damaged path of certificates (PKIPath)")
		}
		e.DER = der
		if !visit(found{Entry: e, place: placeInContainer(e), borrowed: true}) || e.Err != nil {
			return e.Err != nil
		}
	}
	return true
}

// windowsStore visits the certificates of a serialised store of Windows: after eight bytes
// elements, each of an identifier, an encoding, a length and its bytes, with the
// properties of a certificate before it, and an end of zeros ([MS-GPEF] describes it).
func (c *contentReader) windowsStore(data []byte, visit visitor) bool {
	const certificate = 32
	const header = 12
	data = data[min(len(data), 8):]
	for n := 0; len(data) >= header; {
		id, length := binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[8:])
		data = data[header:]
		if id == 0 {
			return true
		}
		if uint64(length) > uint64(len(data)) {
			break
		}
		if id == certificate {
			n++
			e := truststore.Entry{Format: truststore.DER, Kind: truststore.PlainCertificate, Number: n, DER: data[:length]}
			if !visit(found{Entry: e, place: placeInContainer(e), borrowed: true}) {
				return false
			}
		}
		data = data[length:]
	}
	return visit(found{Entry: truststore.Entry{Err: errors.New("a certificate store of Windows (.sst) that is cut off")}})
}

// placeInContainer says where an entry is.
func placeInContainer(e truststore.Entry) string {
	switch {
	case e.Number == 0:
		return ""
	case e.Format == truststore.JKS || e.Format == truststore.PKCS12 && e.Alias != "":
		place := "entry " + strconv.Itoa(e.Number) + " " + safetext.Quote(e.Alias)
		if e.Position > 0 {
			place += ", chain position " + strconv.Itoa(e.Position)
		}
		return place
	case e.Number == 1:
		return "certificate 1"
	}
	return "certificate " + strconv.Itoa(e.Number)
}
