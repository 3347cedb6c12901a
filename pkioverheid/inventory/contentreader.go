package inventory

import "github.com/go-pkioverheid/trust/truststore"

// contentReader makes results of one file. It walks through it once to see which keys and
// CAs there are, so that each result is complete when it is delivered. The results of
// that walk are those of the file, unless there are more than maxHeld: then a second walk
// makes them.
type contentReader struct {
	*reader
	kind  contentKind
	data  []byte
	isXML bool
	section
	from *source
	cpa  *cpa

	walks   int
	stores  int             // containers so far, in this walk
	opened  map[int]*opened // those with a password, by their number
	decoded []byte          // the last value in base64
}

// found is a certificate, a private key or an error in a file.
type found struct {
	truststore.Entry
	place    string
	use      Use
	party    string
	store    int    // which key store of the file it is in, from one; zero if it is in none
	borrowed bool   // DER is in memory that is used again
	pure     bool   // of PEM: the text begins with it
	at, end  int    // where it is in the text
	key      []byte // what truststore.DecodeKey reads, for a private key
	password string // of the key store, or of none
}

// visitor takes what is found; false means that nobody wants more.
type visitor func(found) bool

// opened is what is known of a key store with a password: reading it takes long.
type opened struct {
	password string
	entries  []truststore.Entry
	err      error
}

// cpa is what a CPA says about certificates elsewhere than around them.
type cpa struct {
	parties    map[string]string   // by certId: the PartyIds of the PartyInfo that has it
	references map[string][]string // by certId: what names it, "Signing" for a SigningCertificateRef
}
