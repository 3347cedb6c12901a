package inventory_test

import (
	"crypto/fips140"
	"crypto/x509"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// The classic outage is a certificate whose key lies in another file and is that of another.
func TestTheKeyInTheFileBesideIsCompared(t *testing.T) {
	authority := pkiotest.New(pkioverheid.PrivateG1)
	a, b := authority.Issue(pkiotest.Leaf{DNSNames: []string{"a.example"}}), authority.Issue(pkiotest.Leaf{DNSNames: []string{"b.example"}})
	ca, err := x509.ParseCertificate(a.Certificate[1])
	require.NoError(t, err)
	issuer := pemOf(ca)
	own, other := keyPEM(t, a), keyPEM(t, b)
	cert := pemOf(a.Leaf)
	const none, entry, chain, mismatch = inventory.UnknownUse, inventory.KeyEntry, inventory.KeyChain, inventory.KeyMismatch
	for name, c := range map[string]struct {
		files map[string]string
		file  string
		want  []inventory.Use
	}{
		"its key":                              {map[string]string{"d/www.pem": cert, "d/www.key": own}, "d/www.pem", []inventory.Use{entry}},
		"its key, with the CA":                 {map[string]string{"d/www.pem": cert + issuer, "d/www.key": own}, "d/www.pem", []inventory.Use{entry, chain}},
		"another key":                          {map[string]string{"d/www.pem": cert, "d/www.key": other}, "d/www.pem", []inventory.Use{mismatch}},
		"another key, with the CA":             {map[string]string{"d/www.pem": cert + issuer, "d/www.key": other}, "d/www.pem", []inventory.Use{mismatch, none}},
		"another key, of Kubernetes":           {map[string]string{"tls.crt": cert, "tls.key": other}, "tls.crt", []inventory.Use{mismatch}},
		"another key, of a certificate in DER": {map[string]string{"d/www.x.cer": string(a.Leaf.Raw), "d/www.x.key": other}, "d/www.x.cer", []inventory.Use{mismatch}},
		"another key, capitals":                {map[string]string{"d/www.CERT": cert, "d/www.key": other}, "d/www.CERT", []inventory.Use{mismatch}},
		"another key, of certbot":              {map[string]string{"d/fullchain.pem": cert + issuer, "d/privkey.pem": other}, "d/fullchain.pem", []inventory.Use{mismatch, none}},
		"its key, in certbot's archive":        {map[string]string{"d/cert2.pem": cert, "d/privkey1.pem": other, "d/privkey2.pem": own}, "d/cert2.pem", []inventory.Use{entry}},

		"a key of another name":              {map[string]string{"d/www.pem": cert, "d/mail.key": other}, "d/www.pem", []inventory.Use{none}},
		"a key in another folder":            {map[string]string{"d/www.pem": cert, "www.key": other, "e/www.key": other}, "d/www.pem", []inventory.Use{none}},
		"a file that is not a certificate's": {map[string]string{"d/www.txt": cert, "d/www.key": other}, "d/www.txt", []inventory.Use{none}},
		"a CA":                               {map[string]string{"d/ca.pem": issuer, "d/ca.key": other}, "d/ca.pem", []inventory.Use{none}},
		"a CA first":                         {map[string]string{"d/www.pem": issuer + cert, "d/www.key": other}, "d/www.pem", []inventory.Use{none, none}},
		"a key that is not beside, but in":   {map[string]string{"d/www.pem": cert + own, "d/www.key": other}, "d/www.pem", []inventory.Use{entry}},
		"two keys":                           {map[string]string{"d/www.pem": cert, "d/www.key": other + other}, "d/www.pem", []inventory.Use{none}},
		"a key with its certificate":         {map[string]string{"d/www.pem": cert, "d/www.key": other + pemOf(b.Leaf)}, "d/www.pem", []inventory.Use{none}},
		"a file without a key":               {map[string]string{"d/www.pem": cert, "d/www.key": "a secret\n"}, "d/www.pem", []inventory.Use{none}},
		"a damaged key":                      {map[string]string{"d/www.pem": cert, "d/www.key": strings.Replace(other, "MI", "MA", 1)}, "d/www.pem", []inventory.Use{none}},
		"a large file":                       {map[string]string{"d/www.pem": cert, "d/www.key": other + strings.Repeat("#\n", 32<<10)}, "d/www.pem", []inventory.Use{none}},
		"several certificates, none its":     {map[string]string{"d/www.pem": cert + pemOf(authority.Issue(pkiotest.Leaf{DNSNames: []string{"c.example"}}).Leaf), "d/www.key": other}, "d/www.pem", []inventory.Use{none, none}},
		"several certificates, the second":   {map[string]string{"d/www.pem": cert + pemOf(b.Leaf), "d/www.key": other}, "d/www.pem", []inventory.Use{none, entry}},
		"renewed, in a file of other end":    {map[string]string{"d/www.pem": cert, "d/www.crt": pemOf(b.Leaf), "d/www.key": other}, "d/www.pem", []inventory.Use{none}},
		"renewed, the new one":               {map[string]string{"d/www.pem": cert, "d/www.crt": pemOf(b.Leaf), "d/www.key": other}, "d/www.crt", []inventory.Use{entry}},
		"renewed, certbot's chain only":      {map[string]string{"d/cert.pem": cert, "d/fullchain.pem": pemOf(b.Leaf) + issuer, "d/privkey.pem": other}, "d/cert.pem", []inventory.Use{none}},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for path, text := range c.files {
				fsys[path] = &fstest.MapFile{Data: []byte(text)}
			}
			for _, target := range []string{".", c.file} {
				found, troubles := scanAll(t, inventory.Config{FS: fsys}, target)
				assert.Empty(t, troubles)
				var uses []inventory.Use
				for _, r := range found {
					if r.Path == c.file {
						uses = append(uses, r.Use)
					}
				}
				assert.Equal(t, c.want, uses, target)
			}
		})
	}
}

// Of an encrypted key something is said only if its password is known.
func TestAnEncryptedKeyBeside(t *testing.T) {
	if fips140.Enforced() {
		t.Skip("the salt of OpenSSL, of eight bytes, is not approved for FIPS 140-3")
	}
	authority := pkiotest.New(pkioverheid.PrivateG1)
	a, b := authority.Issue(pkiotest.Leaf{DNSNames: []string{"a.example"}}), authority.Issue(pkiotest.Leaf{DNSNames: []string{"b.example"}})
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	require.NoError(t, os.WriteFile(plain, []byte(keyPEM(t, b)), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "www.pem"), []byte(pemOf(a.Leaf)), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mail.pem"), []byte(pemOf(b.Leaf)), 0o600))
	for _, name := range []string{"www.key", "mail.key"} {
		run(t, "openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256", "-in", plain, "-passout", "pass:geheim-van-de-sleutel", "-out", filepath.Join(dir, name))
	}
	for password, want := range map[string][2]inventory.Use{
		"":                      {inventory.UnknownUse, inventory.UnknownUse},
		"wrong":                 {inventory.UnknownUse, inventory.UnknownUse},
		"geheim-van-de-sleutel": {inventory.KeyMismatch, inventory.KeyEntry},
	} {
		found, troubles := scanAll(t, inventory.Config{Passwords: passwords(password)}, filepath.Join(dir, "www.pem"), filepath.Join(dir, "mail.pem"))
		assert.Empty(t, troubles)
		uses := map[string]inventory.Use{}
		for _, r := range found {
			uses[filepath.Base(r.Path)] = r.Use
		}
		assert.Equal(t, want, [2]inventory.Use{uses["www.pem"], uses["mail.pem"]}, password)
	}
}

// certbot's live folder has links. A pipe is not waited for, and what is only called so has
// no files beside it.
func TestKeysBesideInTheFileSystem(t *testing.T) {
	authority := pkiotest.New(pkioverheid.PrivateG1)
	a, b := authority.Issue(pkiotest.Leaf{DNSNames: []string{"a.example"}}), authority.Issue(pkiotest.Leaf{DNSNames: []string{"b.example"}})
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	uses := func(target string) (uses []inventory.Use) {
		found, troubles := scanAll(t, inventory.Config{}, target)
		assert.Empty(t, troubles)
		for _, r := range found {
			uses = append(uses, r.Use)
		}
		return uses
	}
	www := write("www.pem", pemOf(a.Leaf))
	write("www.key", keyPEM(t, b))
	assert.Equal(t, []inventory.Use{inventory.KeyMismatch}, uses(www))
	for r := range inventory.ScanReader(t.Context(), inventory.Config{}, www, strings.NewReader(pemOf(a.Leaf)), -1) {
		assert.Equal(t, inventory.UnknownUse, r.Use)
	}

	for r := range inventory.Scan(t.Context(), inventory.Config{Exclude: func(path string) bool { return strings.HasSuffix(path, ".key") }}, dir) {
		assert.Equal(t, inventory.UnknownUse, r.Use, "what is excluded is not read")
	}

	if runtime.GOOS == "windows" {
		return // links need a right there
	}
	write("le/archive/cert1.pem", pemOf(a.Leaf))
	write("le/archive/privkey1.pem", keyPEM(t, b))
	live := filepath.Join(dir, "le", "live")
	require.NoError(t, os.Mkdir(live, 0o700))
	require.NoError(t, os.Symlink("../archive/cert1.pem", filepath.Join(live, "cert.pem")))
	require.NoError(t, os.Symlink("../archive/privkey1.pem", filepath.Join(live, "privkey.pem")))
	for _, target := range []string{filepath.Join(dir, "le"), live, filepath.Join(live, "cert.pem")} {
		assert.Equal(t, []inventory.Use{inventory.KeyMismatch}, uses(target), target)
	}
	for name, to := range map[string]string{"device": "/dev/zero", "nowhere": "gone", "folder": ".", "loop": "loop.key"} {
		path := write(name+".pem", pemOf(a.Leaf))
		require.NoError(t, os.Symlink(to, filepath.Join(dir, name+".key")))
		assert.Equal(t, []inventory.Use{inventory.UnknownUse}, uses(path), name)
	}
}
