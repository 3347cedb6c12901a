package truststore

import "fmt"

// WriteFile writes the certificates to a file in the given format, as Encode and
// ReplaceFile do. An empty Store is an error.
func (s *Store) WriteFile(path string, f Format, opts ...Option) error {
	if s.Len() == 0 {
		return ours(fmt.Errorf("%s: not written, because there is no certificate to write", path))
	}
	data, err := s.Encode(f, opts...)
	if err != nil {
		return err
	}
	return ReplaceFile(path, data)
}
