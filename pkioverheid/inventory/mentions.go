package inventory

import "bytes"

// mentionsPEM reports whether a text has a mark of PEM, with a rare part of which to search
// is faster.
func mentionsPEM(text []byte) bool {
	for {
		at := bytes.Index(text, pemBegin[len(pemDashes):])
		if at < 0 {
			return false
		}
		if bytes.HasSuffix(text[:at], pemDashes) {
			return true
		}
		text = text[at+1:]
	}
}

// maxMention is how much of a mention, with what belongs to it, can be at the end of
// one chunk of a text and miss its last byte.
const maxMention = 64

// mentions reports whether there can be a certificate in a text: whether there is one of the
// valueMarks, or one of PEM. It is what most time goes to in folders of other files. Most
// marks have an I in them, and so the text is searched once for all of those.
func mentions(data []byte) bool {
	v := values{text: data}
	for at := 0; ; at++ {
		next := bytes.IndexByte(data[at:], 'I')
		if next < 0 {
			break
		}
		at += next
		if at == 0 {
			continue
		}
		switch data[at-1] {
		case 'M':
			if v.begins(valueDER, at-1) {
				return true
			}
		case 'A':
			if v.endsMark(markOfJKS, at+1) >= 0 {
				return true
			}
		case 'G':
			if bytes.HasPrefix(data[max(0, at-len("-----BEG")):], pemBegin) {
				return true
			}
		}
	}
	return v.search(markOfJWS, 0) < len(data) || v.search(markOfPEM, 0) < len(data) || v.search(markOfDivided, 0) < len(data)
}
