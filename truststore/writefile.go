package truststore

import "fmt"

// WriteFile writes the certificates to a file, in the form that Encode gives and in
// the way of ReplaceFile: whoever opens the file finds what was there before or what
// was written, whole. A symbolic link at path is an error, and so is an empty
// Store, see AllowEmpty.
func (s *Store) WriteFile(path string, f Format, opts ...Option) error {
	if s.Len() == 0 && !newOptions(opts).allowEmpty {
		return fmt.Errorf("truststore: %s: not written, because there is no certificate to write: give AllowEmpty if that is meant", path)
	}
	data, err := s.Encode(f, opts...)
	if err != nil {
		return err
	}
	return ReplaceFile(path, data)
}

// AllowEmpty lets WriteFile write a Store without certificates. A program that
// reads the file afterwards trusts nobody, or reports an error, as Open does.
func AllowEmpty() Option {
	return func(o *options) { o.allowEmpty = true }
}
