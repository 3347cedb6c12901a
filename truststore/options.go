package truststore

import "github.com/go-pkioverheid/trust/truststore/internal/pbe"

// Option changes how certificates and keys are read or written.
type Option func(*options)

type options struct {
	password string
	limit    int64
	work     *pbe.Work // of all that is read with these options, all files of a folder together

	keepGoing bool // see KeepGoing

	allowEmpty bool // see AllowEmpty

	watch watchOptions // see Watch
}

const defaultLimit = 64 << 20

func newOptions(opts []Option) options {
	o := options{limit: defaultLimit, work: new(pbe.Work)}
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

// WithLimit bounds how many bytes are read, for a folder all files together.
// The default, which a limit of zero or less stands for, is 64 MiB. Certificates
// take some times the memory of their files: honest ones about five times, and
// hostile ones up to twenty times.
func WithLimit(bytes int64) Option {
	return func(o *options) {
		if o.limit = bytes; bytes <= 0 {
			o.limit = defaultLimit
		}
	}
}

// KeepGoing makes Decode and Open return what could be read of files that are
// partly bad. An error then comes beside the Store: it joins one error for each
// certificate or file that was left out, a hundred at most, and its Unwrap returns
// them. If there is no certificate that could be read, the Store is nil.
//
// It is for programs that repair or report. Who trusts what is left of a damaged
// file should know what was lost. KeepGoing has no effect on DecodeKey.
func KeepGoing() Option {
	return func(o *options) { o.keepGoing = true }
}
