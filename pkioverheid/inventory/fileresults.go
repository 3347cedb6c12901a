package inventory

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strconv"
	"strings"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// content adds the results of a file that is read.
func (r *reader) content(kind contentKind, data []byte) {
	r.now = contentReader{reader: r, kind: kind, data: data, from: new(source)}
	c := &r.now
	if !c.prepare() {
		return
	}
	if len(c.data) > 0 {
		c.readAll()
	}
	c.readMarkup()
	c.readEncoded()
	c.text = nil // which may be large
	c.finish()
	c.data = nil // which may be large
}

// emit takes one result; false means that nobody wants more.
func (c *contentReader) emit(result Result) bool {
	if result.Certificate != nil {
		c.Progress.Certificates.Add(1)
		if result.Certificate.IsCA && !c.delivered {
			c.from.keep(result.Certificate)
		}
	}
	c.add(result)
	if len(c.results) < maxHeld {
		return true
	}
	c.finish()
	c.delivered = true
	return c.flush()
}

// maxHeld is how many results of one file wait until it is known whether
// there is a key in the file, and which CAs are.
const maxHeld = 256

// contentReader makes results of one file.
type contentReader struct {
	*reader
	kind      contentKind
	data      []byte
	text      []byte // all of it, if it is text, of which data may be a part
	inMarkup  bool   // the text is XML or HTML
	inText    bool   // data is text that may have PEM in it
	firstLine int    // lines before data
	within    string // where in the file data is, if it was in base64
	lastLine  int    // of a block of PEM
	allPEM    bool   // the file begins as one of PEM does, rather than as a text with PEM in it
	from      *source
	key       bool // there is a private key in the file
	delivered bool // some results are out
	cpa       *cpa
}

// prepare makes of data what truststore reads; false if there is nothing in it.
func (c *contentReader) prepare() bool {
	if c.kind != text {
		return true
	}
	c.text = c.data
	begin := bytes.TrimLeft(bytes.TrimPrefix(c.data, []byte("\xef\xbb\xbf")), " \t\r\n")
	c.allPEM = bytes.HasPrefix(begin, pemMention)
	c.inMarkup = begin[0] == '<'
	c.inText = !c.inMarkup
	if c.inMarkup && !c.isSigned() {
		c.data = nil
	}
	return true
}

// readMarkup reads the PEM that is in HTML or XML. What is before it shows
// that the text is none of PEM alone.
func (c *contentReader) readMarkup() {
	at := bytes.Index(c.text, pemMention) - 1
	if !c.inMarkup || at < 0 {
		return
	}
	c.firstLine = bytes.Count(c.text[:at], []byte("\n"))
	c.data = blankEndsOfLines(c.text[at:])
	c.text = c.text[:at+len(c.data)]
	c.inText = true
	c.readAll()
}

// blankEndsOfLines puts blanks, which PEM may have, in place of the ends of lines that
// XML and HTML have to write out in attributes, and in text from Windows. It does so
// in text itself, which can be large.
func blankEndsOfLines(text []byte) []byte {
	out := text[:0]
	for {
		at := bytes.Index(text, []byte("&#"))
		if at < 0 {
			return append(out, text...)
		}
		out = append(out, text[:at]...)
		text = text[at:]
		length := 1
		for _, end := range [...]string{"&#13;", "&#10;", "&#xD;", "&#xA;", "&#xd;", "&#xa;"} {
			if bytes.HasPrefix(text, []byte(end)) {
				length = len(end)
			}
		}
		if length > 1 {
			out = append(out, ' ')
		} else {
			out = append(out, '&')
		}
		text = text[length:]
	}
}

// isSigned reports whether a document can have ds:X509Certificate elements.
func (c *contentReader) isSigned() bool {
	return bytes.Contains(c.data, xmlMention) && bytes.Contains(c.data, []byte(nsXMLDSig))
}

// readAll reads the file, with the passwords that are known if it has one.
func (c *contentReader) readAll() {
	locked := c.try("")
	if locked == nil {
		return
	}
	if c.Passwords != nil {
		for password := range c.Passwords(c.job.path) {
			if c.ctx.Err() != nil {
				return
			}
			if password == "" {
				continue
			}
			if locked = c.try(password); locked == nil {
				return
			}
		}
	}
	t := &trouble{where: c.job.path, text: "none of the passwords tried opens this key store, or it is damaged", cause: locked}
	if errors.Is(locked, truststore.ErrNoPassword) {
		t.text, t.advice = "a key store whose password is not known", "give it through Config.Passwords"
	}
	c.emit(Result{Format: truststore.PKCS12, Err: t})
}

// try reads the file with one password. If another one is needed, it emits nothing
// and returns an ErrPassword.
func (c *contentReader) try(password string) (locked error) {
	opts := c.options
	if password != "" {
		opts = append(opts[:len(opts):len(opts)], truststore.WithPassword(password))
	}
	entries := truststore.Entries(c.data, opts...)
	if c.inText {
		entries = pemEntries(c.data, opts)
	}
	for e := range entries {
		if c.ctx.Err() != nil {
			return nil
		}
		if errors.Is(e.Err, truststore.ErrPassword) {
			return e.Err
		}
		if e.Kind == truststore.PrivateKey {
			c.key = true
			continue
		}
		if result, ok := c.result(e); ok && !c.emit(result) {
			return nil
		}
	}
	return nil
}

// result makes a Result of an entry; false if there is nothing to report.
func (c *contentReader) result(e truststore.Entry) (Result, bool) {
	result := Result{Format: e.Format, Place: c.place(e), from: c.from}
	if e.Err != nil {
		if !c.matters(e) {
			return result, false
		}
		result.Err = &trouble{where: c.job.path, text: e.Err.Error(), cause: e.Err}
		return result, true
	}
	k, err := c.judge.of(e.DER, e.Position > 0 || e.Format != truststore.PEM && e.Format != truststore.XML)
	if err != nil {
		switch {
		case e.Format == truststore.DER && !isCertificateStart(e.DER):
			return result, false // a CRL, a request, something else in DER
		case e.Format == truststore.PEM && !c.allPEM && e.DER[0] != 0x30:
			return result, false // an example in a text
		}
		result.Err = &trouble{where: c.job.path, text: result.Place + ": " + err.Error(), cause: err}
		return result, true
	}
	result.known, result.Certificate = k, k.cert
	switch e.Kind {
	case truststore.TrustedCertificate:
		result.Use = TrustAnchor
	case truststore.RestrictedCertificate:
		result.Use = RestrictedAnchor
		result.Place += " (" + e.Restriction + ")"
	case truststore.KeyCertificate:
		result.Use = KeyEntry
		if e.Position > 1 {
			result.Use = KeyChain
		}
	}
	if e.Format == truststore.XML {
		c.document(&result, e.Elements)
	}
	return result, true
}

// matters reports whether an error is about something that should have been a
// certificate.
func (c *contentReader) matters(e truststore.Entry) bool {
	begin := c.data
	if c.kind == bareBase64 {
		begin = beginOfBase64(c.data)
	}
	switch e.Format {
	case truststore.PEM:
		return e.Kind != 0 && e.Kind != truststore.PrivateKey
	case truststore.DER:
		return isCertificateStart(begin) || c.kind == bareBase64 && e.Number > 0
	case 0:
		return c.kind == keyStore || isCertificateStart(begin) || isContainerStart(begin)
	}
	return true
}

// place says where an entry is.
func (c *contentReader) place(e truststore.Entry) string {
	switch {
	case e.Number == 0:
		return ""
	case e.Format == truststore.PEM:
		place := c.within + "line " + strconv.Itoa(e.Line+c.firstLine)
		if e.Line == c.lastLine && e.Number > 1 {
			place += ", block " + strconv.Itoa(e.Number)
		}
		if e.Position <= 1 {
			c.lastLine = e.Line
		}
		if e.Position > 0 {
			place += ", certificate " + strconv.Itoa(e.Position)
		}
		return place
	case e.Format == truststore.XML && e.Err == nil:
		return placeInDocument(e.Elements)
	case e.Format == truststore.JKS || e.Format == truststore.PKCS12 && e.Alias != "":
		place := "entry " + strconv.Itoa(e.Number) + " " + safetext.Quote(e.Alias)
		if e.Position > 0 {
			place += ", chain position " + strconv.Itoa(e.Position)
		}
		return place
	}
	if e.Number == 1 {
		return "certificate 1"
	}
	return "certificate " + strconv.Itoa(e.Number)
}

// finish sets what is known only at the end of a file.
func (c *contentReader) finish() {
	c.besideKey()
	if !c.JudgeAhead {
		return
	}
	for i := range c.results {
		if r := &c.results[i]; r.known != nil {
			r.State()
			r.Advice()
		}
	}
}

// besideKey marks among certificates that lie beside a private key which is the key's
// own, where the file does not: those that are not CAs, or else the first one.
func (c *contentReader) besideKey() {
	if !c.key {
		return
	}
	var first *Result
	own := false
	for i := range c.results {
		r := &c.results[i]
		own = own || r.Use == KeyEntry
		if r.known == nil || r.Use != UnknownUse {
			continue
		}
		if r.Use = KeyChain; !r.Certificate.IsCA {
			r.Use, own = KeyEntry, true
		}
		if first == nil {
			first = r
		}
	}
	if !own && first != nil && !c.delivered {
		first.Use = KeyEntry
	}
}

// placeInDocument names the elements around a certificate, but for those that are
// around each, with what distinguishes them.
func placeInDocument(elements []xml.StartElement) string {
	var parts []string
	for _, e := range elements {
		if e.Name.Space == nsXMLDSig && (e.Name.Local == "KeyInfo" || e.Name.Local == "X509Data") {
			continue
		}
		part := safetext.Printable(e.Name.Local, safetext.Most)
		for _, a := range e.Attr {
			if a.Name.Local == "use" || a.Name.Local == "certId" {
				part += "[" + safetext.Printable(a.Value, safetext.Most) + "]"
			}
		}
		parts = append(parts, part)
	}
	const most = 6
	if len(parts) > most {
		parts = append([]string{"…"}, parts[len(parts)-most:]...)
	}
	return strings.Join(parts, "/")
}
