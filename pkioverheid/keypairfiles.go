package pkioverheid

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// KeyPairFiles name the files of a certificate and its private key.
type KeyPairFiles struct {
	// Cert is a .cer, .crt, .pem or .p7b file, in DER, PEM or base64.
	Cert string

	// Key is the file of the key that belongs to it, PEM or DER, encrypted or not. If
	// it is empty, Cert holds both: a .p12, .pfx or .jks file, or PEM.
	Key string

	// Password opens a PKCS#12, a JKS or an encrypted key, and is ignored where nothing is
	// encrypted. PasswordFile is a file with it, in its place. KeyPassword is that of the
	// key in a JKS, if it has one of its own.
	Password, PasswordFile, KeyPassword string

	// Time returns the time at which a certificate may not have ended, and is the clock
	// of [WatchKeyPair]. nil is time.Now, and a zero time is now.
	Time func() time.Time
}

// LoadKeyPair reads a certificate and its private key as certificate suppliers deliver them,
// whatever the files are called. The certificate is the one that the key belongs to, and its
// chain is completed, without the root, from the file or else from this package. A
// certificate that has ended is an error. Errors name the file, and never hold the password
// or the key.
func LoadKeyPair(f KeyPairFiles) (*KeyPair, error) {
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("pkioverheid: %w", err)
	}
	var contents [][]byte
	for _, path := range f.paths() {
		data, err := truststore.ReadFile(path, maxKeyPairFile)
		if err != nil {
			if path == f.PasswordFile {
				err = fmt.Errorf("the file with the password: %w", err)
			}
			return nil, fmt.Errorf("pkioverheid: %w", err)
		}
		contents = append(contents, data)
	}
	k := &KeyPair{clock: f.Time}
	if err := k.use(f, contents, clockOf(f.Time)()); err != nil {
		return nil, err
	}
	return k, nil
}

// WatchKeyPair is [LoadKeyPair], and follows the files until ctx ends. It looks every 10
// seconds, or as often as [truststore.WithInterval] says. The options are those of
// [truststore.WatchFiles].
//
// Files that cannot be read, a key of another certificate, and a certificate that has ended,
// or is not yet valid in place of one that is, are not used: the pair from before stays,
// Status says why, and [truststore.OnReload] is called, or else slog.Default gets a line.
//
// From 90 days before the deadline on (see [KeyPairStatus]) Trust.Logger of who uses the
// pair, or else slog.Default, gets a line each day, in an idle program too.
func WatchKeyPair(ctx context.Context, f KeyPairFiles, opts ...truststore.Option) (*KeyPair, error) {
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("pkioverheid: %w", err)
	}
	k := &KeyPair{clock: f.Time, follows: true}
	use := func(contents [][]byte, at time.Time) error { return k.use(f, contents, at) }
	daily := func(at time.Time) {
		leaf := k.Certificate()
		e, near := ending(leaf, claimedHierarchy(leaf), at)
		if !near {
			return
		}
		for _, logger := range k.ending.watchers() {
			if k.ending.first(logger, leaf, at) {
				logger.Warn("pkioverheid: our own certificate needs attention", "path", f.Cert, "problem", string(e.Problem),
					"certificate", safetext.Certificate(leaf), "deadline", e.Deadline.UTC(), "advice", e.Text)
			}
		}
	}
	opts = slices.Concat([]truststore.Option{truststore.WithTime(f.Time), truststore.OnLook(daily), truststore.WithLimit(maxKeyPairFile)}, opts)
	problem, err := watchFiles(ctx, "the key pair", use, f.paths(), opts)
	if err != nil {
		return nil, err
	}
	k.problem = problem
	return k, nil
}

// use puts what the files hold to use.
func (k *KeyPair) use(f KeyPairFiles, contents [][]byte, at time.Time) error {
	pair, path, err := f.parse(contents)
	if err == nil {
		if err = k.setAt(pair, at); err == nil {
			return nil
		}
		path, err = f.Cert, fmt.Errorf("the key pair %w", err)
	}
	if path == "" {
		return fmt.Errorf("pkioverheid: %w", err)
	}
	return fmt.Errorf("pkioverheid: %s: %w", path, err)
}

func (f KeyPairFiles) check() error {
	switch {
	case f.Cert == "":
		return errors.New("KeyPairFiles.Cert is empty: name the file of the certificate")
	case f.PasswordFile != "" && f.Password != "":
		return errors.New("KeyPairFiles has a Password and a PasswordFile: set one of them")
	}
	for _, of := range []struct{ field, path string }{{"Cert", f.Cert}, {"Key", f.Key}, {"PasswordFile", f.PasswordFile}} {
		if isContents(of.path) {
			return fmt.Errorf("KeyPairFiles.%s holds a key or a certificate and not the name of a file", of.field)
		}
	}
	if f.PasswordFile == "" {
		return nil
	}
	_, err := os.Stat(f.PasswordFile)
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		return fmt.Errorf("KeyPairFiles.PasswordFile: %w: is it the name of a file, and not the password?", failed.Err)
	}
	return err
}

// isContents reports whether what should be the name of a file is what the file should
// hold, which no error may show.
func isContents(path string) bool {
	if strings.ContainsAny(path, "\r\n\x00") || strings.Contains(path, "-----BEGIN") {
		return true
	}
	_, _, err := truststore.DecodeKey([]byte(path)) // in one line of base64
	return err == nil || errors.Is(err, truststore.ErrPassword)
}

// Format shows the names of the files of the certificate and the key, and no password.
func (f KeyPairFiles) Format(s fmt.State, _ rune) {
	shown := func(path string) string {
		if isContents(path) {
			return "(not the name of a file)"
		}
		return path
	}
	fmt.Fprintf(s, "{Cert:%s Key:%s}", shown(f.Cert), shown(f.Key))
}

// paths are the files to read, in the order of parse.
func (f KeyPairFiles) paths() []string {
	paths := []string{f.Cert}
	if f.twoFiles() {
		paths = append(paths, f.Key)
	}
	if f.PasswordFile != "" {
		paths = append(paths, f.PasswordFile)
	}
	return paths
}

func (f KeyPairFiles) twoFiles() bool { return f.Key != "" && f.Key != f.Cert }

// parse returns the key pair in the contents of the files, or an error and the file that
// it is about, which is empty where the error names it.
func (f KeyPairFiles) parse(contents [][]byte) (pair tls.Certificate, path string, err error) {
	password := f.Password
	if f.PasswordFile != "" {
		data := contents[len(contents)-1]
		if len(data) > maxPassword {
			return pair, "", fmt.Errorf("%s: there are more than %d bytes: is it the file with the password?", f.PasswordFile, maxPassword)
		}
		password = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	}
	cert := contents[0]
	var key []byte
	if f.twoFiles() {
		if key = contents[1]; len(key) == 0 {
			return pair, f.Key, errors.New("the file is empty: there is no private key in it")
		}
	}
	opts := []truststore.Option{truststore.WithPassword(password), truststore.WithKeyPassword(f.KeyPassword)}
	pair, where, err := parseKeyPair(cert, key, opts...)
	if err == nil {
		return pair, "", nil
	}
	if key != nil && swapped(cert, key, opts...) {
		return pair, "", fmt.Errorf("the two files are swapped: %s holds the private key, and %s the certificate. Exchange Cert and Key", f.Cert, f.Key)
	}
	if where == inKey && key != nil {
		return pair, f.Key, err
	}
	return pair, f.Cert, err
}

// maxPassword bounds what is read of a file with a password.
const maxPassword = 64 << 10

// swapped reports whether the file of the certificate holds the private key, and that
// of the key the certificate.
func swapped(certData, keyData []byte, opts ...truststore.Option) bool {
	_, _, noKey := truststore.DecodeKey(keyData, opts...)
	_, noCert := decodeCertificates(certData, opts...)
	if noKey == nil || noCert == nil {
		return false
	}
	_, _, err := parseKeyPair(keyData, certData, opts...)
	return err == nil
}

// place is which of two inputs an error is about.
type place string

const (
	inCertificate place = "the certificate"
	inKey         place = "the private key"
)

func parseKeyPair(certData, keyData []byte, opts ...truststore.Option) (tls.Certificate, place, error) {
	source := keyData
	if len(keyData) == 0 {
		source = certData
	}
	key, certs, err := truststore.DecodeKey(source, opts...)
	if err != nil {
		return tls.Certificate{}, inKey, err
	}
	if len(keyData) > 0 {
		delivered, err := decodeCertificates(certData, opts...)
		if err != nil {
			return tls.Certificate{}, inCertificate, err
		}
		for c := range certs.All() {
			delivered.Add(c)
		}
		certs = delivered
	}
	if certs.Len() == 0 {
		return tls.Certificate{}, inCertificate, errors.New("there is a private key and no certificate: name the file of the certificate and that of the key")
	}
	leaf := certificateOf(key, certs)
	if leaf == nil {
		return tls.Certificate{}, inCertificate, fmt.Errorf("the private key belongs to none of the certificates (%s): is it the key that the certificate was requested with?", listCertificates(certs))
	}
	pair := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}
	for c := range certs.All() {
		if !bytes.Equal(c.Raw, leaf.Raw) {
			pair.Certificate = append(pair.Certificate, c.Raw)
		}
	}
	return pair, "", nil
}

// decodeCertificates reads a file that is given for its certificates. Many hold a
// private key too, as nginx and openssl like them; it is not the one to use.
func decodeCertificates(data []byte, opts ...truststore.Option) (*truststore.Store, error) {
	certs, err := truststore.Decode(data, opts...)
	if err != nil {
		if _, beside, keyErr := truststore.DecodeKey(data, opts...); keyErr == nil && beside.Len() > 0 {
			return beside, nil
		}
		return nil, err
	}
	return certs, nil
}

func listCertificates(certs *truststore.Store) string {
	var names []string
	for c := range certs.All() {
		names = append(names, safetext.Certificate(c))
	}
	if len(names) > 3 {
		return fmt.Sprintf("%s, %s and %d more", names[0], names[1], len(names)-2)
	}
	return strings.Join(names, ", ")
}

// maxKeyPairFile bounds what is read of a file; a chain with its key is some 20 kB.
const maxKeyPairFile = 16 << 20
