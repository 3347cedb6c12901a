package truststore

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
)

// System returns the CAs that x509.SystemCertPool trusts on Linux, from the same files and
// folders, SSL_CERT_FILE and SSL_CERT_DIR included; it reads them at each call. What is not
// a CA, and so issues nothing, is skipped: Debian's ssl-cert puts one there. The error joins
// what crypto/x509 leaves out too, such as a damaged certificate or a file without
// permission, and may come beside a Store. On other systems there is only an error.
func System() (*Store, error) {
	if runtime.GOOS != "linux" && runtime.GOOS != "android" {
		return nil, fmt.Errorf("truststore: the certificates that %s trusts cannot be listed: this works on Linux only", runtime.GOOS)
	}
	all, errs := readSystem()
	store := all.Filter(mayIssue)
	if store.Len() == 0 {
		errs = append(errs, errors.New("the system has no certificates where crypto/x509 looks: install them, or set SSL_CERT_FILE or SSL_CERT_DIR"))
	}
	if len(errs) > 0 {
		return store, ours(errors.Join(errs...))
	}
	return store, nil
}

// readSystem returns all that x509.SystemCertPool has.
func readSystem() (*Store, []error) {
	r := systemReader{store: new(Store)}
	r.readFirst()
	r.readFolders()
	return r.store, r.errs
}

// mayIssue is the rule of x509.Certificate.CheckSignatureFrom: old roots, of version 1,
// cannot say that they are CAs.
func mayIssue(c *x509.Certificate) bool {
	return c.IsCA && c.BasicConstraintsValid || c.Version < 3 && !c.BasicConstraintsValid
}

// systemFiles and systemFolders are those of crypto/x509 (root_linux.go).
func systemFiles() []string {
	return []string{
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Gentoo
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL 6
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/pki/tls/cacert.pem",                           // OpenELEC
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // RHEL 7 and later
		"/etc/ssl/cert.pem",                                 // Alpine
	}
}

func systemFolders() []string {
	folders := []string{"/etc/ssl/certs", "/etc/pki/tls/certs"}
	if runtime.GOOS == "android" {
		folders = append(folders, "/system/etc/security/cacerts", "/data/misc/keychain/certs-added")
	}
	return folders
}

type systemReader struct {
	store *Store
	errs  []error
}

// readFirst reads the first file that can be read, as crypto/x509 does.
func (r *systemReader) readFirst() {
	files := systemFiles()
	named := os.Getenv("SSL_CERT_FILE")
	if named != "" {
		files = []string{named}
	}
	for _, path := range files {
		data, err := readAtMost(path, defaultLimit)
		if err == nil {
			r.add(path, data)
			return
		}
		if named != "" {
			err = fmt.Errorf("SSL_CERT_FILE: %w", err)
		} else if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		r.errs = append(r.errs, err)
	}
}

func (r *systemReader) readFolders() {
	folders := systemFolders()
	named := os.Getenv("SSL_CERT_DIR")
	if named != "" {
		folders = strings.Split(named, ":") // on every system, as OpenSSL does
	}
	for _, folder := range folders {
		if folder == "" {
			continue
		}
		entries, err := os.ReadDir(folder)
		if err != nil {
			if named != "" {
				err = fmt.Errorf("SSL_CERT_DIR: %w", err)
			} else if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			r.errs = append(r.errs, err)
			continue
		}
		for _, e := range entries {
			r.readEntry(folder, e)
		}
	}
}

func (r *systemReader) readEntry(folder string, e fs.DirEntry) {
	path := folder + "/" + e.Name() // not cleaned: link/.. may lead elsewhere
	if e.Type() == fs.ModeSymlink {
		// OpenSSL's names by hash, which lead to a file that is read anyway.
		if target, err := os.Readlink(path); err == nil && !strings.Contains(target, "/") {
			return
		}
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return // a link whose target was removed
	}
	if err != nil {
		r.errs = append(r.errs, err)
		return
	}
	if !info.Mode().IsRegular() {
		return
	}
	data, err := readAtMost(path, defaultLimit)
	if err != nil {
		r.errs = append(r.errs, err)
		return
	}
	r.add(path, data)
}

// readAtMost reads what os.ReadFile does, pipes too (SSL_CERT_FILE can be one), but
// not without end.
func readAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: it has more than %d bytes", path, limit)
	}
	return data, nil
}

// add takes what x509.CertPool.AppendCertsFromPEM would. It goes through
// encoding/pem, as that does, since whatever the two frame differently would make
// the sets different.
func (r *systemReader) add(path string, data []byte) {
	lines := lineCounter{text: data}
	skip := func(at int, err error) {
		r.errs = append(r.errs, fmt.Errorf("%s: the certificate in line %d was left out, by crypto/x509 too: %w", path, lines.of(at), err))
	}
	for at := 0; at < len(data); {
		block, rest := pem.Decode(data[at:])
		begins := certificateBegins(data[at : len(data)-len(rest)])
		if block == nil {
			begins = certificateBegins(data[at:])
		}
		isCertificate := block != nil && block.Type == "CERTIFICATE"
		own := at
		if isCertificate && len(begins) > 0 { // always: the block begins there
			own = at + begins[len(begins)-1]
			begins = begins[:len(begins)-1]
		}
		for _, begin := range begins {
			skip(at+begin, errors.New("it is damaged"))
		}
		if block == nil {
			return
		}
		if isCertificate {
			if len(block.Headers) > 0 {
				skip(own, errors.New("it has header lines"))
			} else if cert, err := x509.ParseCertificate(block.Bytes); err != nil {
				skip(own, err)
			} else {
				r.store.Add(cert)
			}
		}
		at = len(data) - len(rest)
	}
}

// certificateBegins returns where lines begin that say that a certificate does.
func certificateBegins(text []byte) (begins []int) {
	word := []byte("-----BEGIN CERTIFICATE-----")
	for at := 0; ; {
		i := bytes.Index(text[at:], word)
		if i < 0 {
			return begins
		}
		at += i
		if at == 0 || text[at-1] == '\n' {
			begins = append(begins, at)
		}
		at += len(word)
	}
}

// lineCounter counts line numbers, for positions that do not go back.
type lineCounter struct {
	text     []byte
	at, line int
}

func (l *lineCounter) of(at int) int {
	l.line += bytes.Count(l.text[l.at:at], []byte("\n"))
	l.at = at
	return l.line + 1
}
