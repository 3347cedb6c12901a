package truststore

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
)

// EncodeTrustPackage writes the JSON package that trust-manager, which distributes trust in
// a Kubernetes cluster, loads as its default CAs (--default-package-location, a file named
// *.json):
//
//	{"name":"pkioverheid","version":"2026-11-01","bundle":"-----BEGIN CERTIFICATE-----\n…"}
//
// Name and version have 1 to 128 letters, digits and ._-+~: only. An empty Store is an error.
func (s *Store) EncodeTrustPackage(name, version string) ([]byte, error) {
	if err := checkPackageWord(name); err != nil {
		return nil, ours(fmt.Errorf("the name of the trust package %w", err))
	}
	if err := checkPackageWord(version); err != nil {
		return nil, ours(fmt.Errorf("the version of the trust package %w", err))
	}
	if s.Len() == 0 {
		return nil, errors.New("truststore: a trust package without certificates is not written: a cluster would trust nobody")
	}
	var bundle bytes.Buffer
	for cert := range s.All() {
		// Writing to a Buffer does not fail, and there are no headers: trust-manager
		// refuses those, as it does every other kind of block.
		_ = pem.Encode(&bundle, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	}
	// The fields of trust-manager's pkg/fspkg.Package.
	data, err := json.Marshal(struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Bundle  string `json:"bundle"`
	}{name, version, bundle.String()})
	if err != nil {
		return nil, ours(err)
	}
	return append(data, '\n'), nil
}

func checkPackageWord(s string) error {
	if s == "" || len(s) > 128 {
		return fmt.Errorf("has %d characters: want 1 to 128", len(s))
	}
	for _, r := range s {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		case r == '.', r == '_', r == '-', r == '+', r == '~', r == ':':
		default:
			return fmt.Errorf("has the character %q: want letters, digits and ._-+~: only", r)
		}
	}
	return nil
}
