package inventory

import (
	"bytes"
	"errors"

	"github.com/go-pkioverheid/trust/truststore"
)

// maxHeld is how many results of one file are kept during the first walk.
const maxHeld = 256

// content adds the results of a file that is read.
func (r *reader) content(kind contentKind, data []byte) {
	c := &contentReader{reader: r, kind: kind, data: data, from: new(source)}
	if begin := beginOfText(data); kind == text && len(begin) > 0 && begin[0] == '<' {
		blankEndsOfLines(data)
		c.isXML = isXMLDocument(begin)
		c.data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	}
	c.read()
}

// read makes the results; false means that nobody wants more.
func (c *contentReader) read() bool {
	keys := &keys{reader: c}
	held := make([]Result, 0, 4)
	n := 0
	if !c.walk(func(f found) bool {
		if f.Kind == truststore.PrivateKey && f.Err == nil {
			keys.addKey(f)
			return true
		}
		result, ok := c.result(f)
		if !ok {
			return true
		}
		if result.known != nil {
			keys.addCertificate(f, &result)
			if result.Certificate.IsCA {
				c.from.keep(result.Certificate)
			}
		}
		if n++; n <= maxHeld {
			held = append(held, result)
		}
		return true
	}) {
		return false // the scan was ended
	}
	keys.match()
	if n <= maxHeld {
		for i := range held {
			if !c.deliver(held[i], keys) {
				return false
			}
		}
		return true
	}
	clear(held)
	held = nil
	return c.walk(func(f found) bool {
		if f.Kind == truststore.PrivateKey && f.Err == nil {
			return true
		}
		result, ok := c.result(f)
		return !ok || c.deliver(result, keys)
	})
}

// deliver adds a result, complete; false means that nobody wants more.
func (c *contentReader) deliver(result Result, keys *keys) bool {
	if result.known != nil {
		c.Progress.Certificates.Add(1)
		keys.use(&result)
		if c.JudgeAhead {
			result.State()
			result.Advice()
		}
	}
	c.add(result)
	return len(c.results) < maxHeld || c.flush()
}

// result makes a Result of what was found; false if there is nothing to report.
func (c *contentReader) result(f found) (Result, bool) {
	result := Result{Format: f.Format, Place: f.place, Use: f.use, Party: f.party, from: c.from}
	if f.Err != nil {
		result.Place = ""
		var t *trouble
		if errors.As(f.Err, &t) {
			t = &trouble{where: c.job.path, text: t.text, advice: t.advice, cause: t.cause}
		} else {
			t = &trouble{where: c.job.path, cause: f.Err}
		}
		result.Err = t
		return result, true
	}
	k, err := c.judge.of(f.DER, f.borrowed)
	if err != nil {
		switch {
		case f.Format == truststore.DER && !isCertificateStart(f.DER):
			return result, false // a CRL, a request, something else in DER
		case f.Format == truststore.PEM && !f.pure && f.DER[0] != 0x30:
			return result, false // an example in a text
		}
		result.Err = unreadable(c.job.path, result.Place, f.DER, err)
		return result, true
	}
	result.known, result.Certificate = k, k.cert
	switch {
	case f.Kind == truststore.RestrictedCertificate:
		result.Use = RestrictedAnchor
		result.Place += " (" + f.Restriction + ")"
	case result.Use != UnknownUse:
	case f.Kind == truststore.TrustedCertificate:
		result.Use = TrustAnchor
	case f.Kind == truststore.KeyCertificate:
		result.Use = KeyEntry
		if f.Position > 1 {
			result.Use = KeyChain
		}
	}
	return result, true
}

// walk visits all that there is in a file, each time the same.
func (c *contentReader) walk(visit visitor) bool {
	c.stores = 0
	c.walks++
	switch c.kind {
	case container:
		return c.container(c.data, false, visit)
	case bareBase64:
		if text := bytes.TrimRight(c.data, "= \t\r\n"); bytes.IndexByte(text, '=') < 0 && !isPKIPath(beginOfBase64(text)) {
			return c.container(c.data, false, visit)
		} // else there are several, or it is what truststore does not know
	case windowsStore:
		return c.windowsStore(c.data, visit)
	}
	if c.isXML {
		return c.document(visit)
	}
	return c.inText(c.data, c.linesBefore, c.section.visit(visit))
}
