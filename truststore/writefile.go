package truststore

import "fmt"

// WriteFile writes the certificates to a file in the given format, as Encode and
// ReplaceFile do. An empty Store is an error, see AllowEmpty.
func (s *Store) WriteFile(path string, f Format, opts ...Option) error {
	if s.Len() == 0 && !newOptions(opts).allowEmpty {
		return ours(fmt.Errorf("%s: not written, because there is no certificate to write (see AllowEmpty)", path))
	}
	data, err := s.Encode(f, opts...)
	if err != nil {
		return err
	}
	return ReplaceFile(path, data)
}

// AllowEmpty lets WriteFile write a Store without certificates. Who reads the file
// trusts nobody, or gets an error, as from Open.
func AllowEmpty() Option {
	return func(o *options) { o.allowEmpty = true }
}
