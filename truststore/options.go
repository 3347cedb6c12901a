package truststore

import (
	"crypto/sha256"

	"github.com/go-pkioverheid/trust/truststore/internal/pbe"
)

// Option changes how certificates and keys are read or written.
type Option func(*options)

type options struct {
	password string

	keyPassword string // see WithKeyPassword

	limit int64
	work  *pbe.Work // of all that is read with these options, all files of a folder together

	keepGoing bool                       // see KeepGoing
	rejected  map[[sha256.Size]byte]bool // certificates that a file of the reading rejects

	watch watchOptions // see Watch
}

const defaultLimit = 64 << 20

func newOptions(opts []Option) options {
	o := options{limit: defaultLimit, work: new(pbe.Work), rejected: make(map[[sha256.Size]byte]bool)}
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	return o
}

// WithPassword gives the password of what is read or written. An empty one is
// the same as none.
func WithPassword(password string) Option {
	return func(o *options) { o.password = password }
}

// WithKeyPassword gives DecodeKey the password of the private key in a JKS, where that is
// not the password of the file.
func WithKeyPassword(password string) Option {
	return func(o *options) { o.keyPassword = password }
}

// WithLimit limits how many bytes are read, for a folder all files together. The default,
// also for zero or less, is 64 MiB. Certificates take about five times the memory of their
// files, and hostile ones up to twenty times.
func WithLimit(bytes int64) Option {
	return func(o *options) {
		if o.limit = bytes; bytes <= 0 {
			o.limit = defaultLimit
		}
	}
}

// KeepGoing makes Decode and Open return what could be read, and an error beside the Store
// that joins one error for each certificate or file left out, at most a hundred. The Store
// is nil if nothing could be read. A certificate that one place restricts (see
// [RestrictedCertificate]) is left out wherever else it is. It is for programs that repair
// or report, and has no effect on DecodeKey.
func KeepGoing() Option {
	return func(o *options) { o.keepGoing = true }
}
