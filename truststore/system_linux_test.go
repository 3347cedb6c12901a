package truststore

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSystemChild is the process in which System meets an environment: there
// SystemCertPool, which reads once, has not read yet.
func TestSystemChild(t *testing.T) {
	path := os.Getenv("TRUSTSTORE_CHILD")
	if path == "" {
		return
	}
	store, err := System()
	require.NotNil(t, store)
	pool, poolErr := x509.SystemCertPool()
	if poolErr != nil {
		pool = x509.NewCertPool() // an error is not a pool
	}
	all, _ := readSystem()
	assert.True(t, pool.Equal(all.CertPool()), "the sets differ")
	//lint:ignore SA1019 deprecated because of other systems
	assert.Equal(t, pool.Subjects(), all.CertPool().Subjects(), "the order differs")
	for c := range store.All() {
		assert.True(t, c.IsCA, c.Subject.CommonName)
	}
	result := systemResult{Len: store.Len()}
	if err != nil {
		result.Err = err.Error()
	}
	data, err := json.Marshal(result)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

type systemResult struct {
	Len int
	Err string
}

func systemIn(t *testing.T, env ...string) (result systemResult) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "result")
	cmd := child(t, "TestSystemChild", path, env...)
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &result))
	return result
}

func TestSystemIsWhatCryptoX509Trusts(t *testing.T) {
	certs := realCerts(t)
	damaged := strings.Replace(string(text(certs[1])), "MII", "M!!", 1)
	unparsable := string(pemOf("CERTIFICATE", certs[1].Raw[:100]))
	headers := strings.Replace(string(text(certs[1])), "-----\n", "-----\nKey: value\n\n", 1)
	unended, _, _ := strings.Cut(string(text(certs[1])), "-----END")
	good := string(text(certs[0]))
	// As Debian's ssl-cert makes it: self-signed, and not a CA.
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, testKey().Public(), testKey())
	require.NoError(t, err)
	snakeoil := string(pemOf("CERTIFICATE", der))

	for name, c := range map[string]struct {
		files map[string]string // name to content; "-> target" is a link
		file  string            // SSL_CERT_FILE, HERE means the folder with the files
		dirs  string            // SSL_CERT_DIR, likewise
		len   int
		errs  []string // in this order, and no others
	}{
		"a file and a folder": {
			map[string]string{"a.pem": string(text(certs[:3]...)), "sub/b.pem": string(text(certs[2:5]...)), "sub/c.crt": string(text(certs[5]))},
			"HERE/a.pem", "HERE/sub", 6, nil,
		},
		"several folders, in their order, and none between two colons": {
			map[string]string{"x/a": string(text(certs[3])), "y/a": string(text(certs[2])), "z/a": string(text(certs[1]))},
			"/dev/null", "HERE/z::HERE/x/../y:HERE/x", 3, nil,
		},
		"a folder with what else is in such folders": {
			map[string]string{
				"s/README": "read me", "s/java/cacerts": "\xfe\xed\xfe\xed", "s/a.pem": good, "s/12345678.0": "-> a.pem",
				"s/der.crt": string(certs[1].Raw), "s/gone.pem": "-> ../gone", "s/b.pem": "-> ../b", "b": string(text(certs[2])),
				"s/key.pem": string(pemOf("PRIVATE KEY", []byte("x"))), "s/trusted.pem": string(pemOf("TRUSTED CERTIFICATE", certs[3].Raw)),
				"s/.hidden.pem": string(text(certs[4])), "s/empty": "", "s/notes": "see -----BEGIN CERTIFICATE----- for more",
			},
			"/dev/null", "HERE/s", 3, nil,
		},
		"certificates that do not parse, between good ones": {
			map[string]string{"a.pem": good + damaged + string(text(certs[2])) + unparsable + string(text(certs[3]))},
			"HERE/a.pem", "/var/empty", 3, []string{
				"HERE/a.pem: the certificate in line 41 was left out, by crypto/x509 too: it is damaged",
				"HERE/a.pem: the certificate in line 121 was left out, by crypto/x509 too: x509: malformed certificate",
				"SSL_CERT_DIR: open /var/empty: no such file or directory",
			},
		},
		"a certificate with header lines": {
			map[string]string{"a.pem": "\n\n" + headers + good}, "HERE/a.pem", "HERE", 1, []string{
				"HERE/a.pem: the certificate in line 3 was left out, by crypto/x509 too: it has header lines",
				"HERE/a.pem: the certificate in line 3 was left out, by crypto/x509 too: it has header lines",
			},
		},
		"a certificate without an end before another": {
			map[string]string{"a.pem": "# comment\n" + unended + good}, "HERE/a.pem", ":", 1, []string{
				"HERE/a.pem: the certificate in line 2 was left out, by crypto/x509 too: it is damaged",
			},
		},
		"a certificate without an end at the end": {
			map[string]string{"a.pem": good + unended}, "HERE/a.pem", ":", 1, []string{
				"HERE/a.pem: the certificate in line 41 was left out, by crypto/x509 too: it is damaged",
			},
		},
		"a file that is missing, and a folder": {
			map[string]string{"s/a.pem": good}, "HERE/none.pem", "HERE/s", 1, []string{
				"SSL_CERT_FILE: open HERE/none.pem: no such file or directory",
			},
		},
		"what is not a CA, which crypto/x509 has in its pool": {
			map[string]string{"s/a.pem": good, "s/ssl-cert-snakeoil.pem": snakeoil}, "/dev/null", "HERE/s", 1, nil,
		},
		"nothing at all": {
			map[string]string{"s/README": "read me"}, "/dev/null", "HERE/s", 0, []string{
				"the system has no certificates where crypto/x509 looks: install them, or set SSL_CERT_FILE or SSL_CERT_DIR",
			},
		},
		"a folder where a file belongs": {
			map[string]string{"s/a.pem": good}, "HERE/s", "HERE/s", 1, []string{
				"SSL_CERT_FILE: read HERE/s: is a directory",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			in := strings.NewReplacer("HERE", dir)
			for name, content := range c.files {
				require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
				if target, ok := strings.CutPrefix(content, "-> "); ok {
					require.NoError(t, os.Symlink(target, filepath.Join(dir, name)))
				} else {
					write(t, dir, name, []byte(content))
				}
			}
			got := systemIn(t, "SSL_CERT_FILE="+in.Replace(c.file), "SSL_CERT_DIR="+in.Replace(c.dirs))
			assert.Equal(t, c.len, got.Len)
			want := ""
			if c.errs != nil {
				want = in.Replace("truststore: " + strings.Join(c.errs, "\n"))
			}
			assert.Equal(t, want, got.Err)
		})
	}
}

func TestSystemOfThisMachine(t *testing.T) {
	got := systemIn(t, "SSL_CERT_FILE=", "SSL_CERT_DIR=")
	t.Logf("%d certificates, %s", got.Len, got.Err)
	if _, err := os.Stat("/etc/ssl/certs/ca-certificates.crt"); err == nil {
		assert.Greater(t, got.Len, 50)
		assert.Empty(t, got.Err)
	}
}

func TestSystemDoesNotWaitForPipes(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	write(t, dir, "z.pem", text(realCerts(t)[0]))
	t.Setenv("SSL_CERT_FILE", "/dev/null")
	t.Setenv("SSL_CERT_DIR", dir)
	s, err := System()
	require.NoError(t, err)
	assert.Equal(t, 1, s.Len())
}

func TestSystemReadsNoFileWithoutEnd(t *testing.T) {
	t.Setenv("SSL_CERT_FILE", "/dev/zero")
	t.Setenv("SSL_CERT_DIR", "/nowhere")
	s, err := System()
	assert.ErrorContains(t, err, "/dev/zero: it has more than 67108864 bytes")
	assert.Zero(t, s.Len())
}
