package truststore

// Option changes how certificates and keys are read or written.
type Option func(*options)

type options struct {
	password string
	limit    int64

	allowEmpty bool // see AllowEmpty
}

const defaultLimit = 64 << 20

func newOptions(opts []Option) options {
	o := options{limit: defaultLimit}
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
// The default, which a limit of zero or less stands for, is 64 MiB.
func WithLimit(bytes int64) Option {
	return func(o *options) {
		if o.limit = bytes; bytes <= 0 {
			o.limit = defaultLimit
		}
	}
}
