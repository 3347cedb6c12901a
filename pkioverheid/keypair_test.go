package pkioverheid_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestAKeyPairRefusesWhatCannotWork(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	good, other := g1.Issue(pkiotest.Leaf{}), g1.Issue(pkiotest.Leaf{})
	ended := g1.Issue(pkiotest.Leaf{NotAfter: time.Now().Add(-24 * time.Hour)})
	for name, c := range map[string]struct {
		pair tls.Certificate
		says string
	}{
		"nothing":                       {tls.Certificate{}, "holds no certificate"},
		"a certificate without its key": {tls.Certificate{Certificate: good.Certificate}, "no private key"},
		"a key that cannot sign":        {tls.Certificate{Certificate: good.Certificate, PrivateKey: "key"}, "crypto.Signer"},
		"a key of another certificate":  {tls.Certificate{Certificate: good.Certificate, PrivateKey: other.PrivateKey}, "another certificate"},
		"bytes that are none":           {tls.Certificate{Certificate: [][]byte{{1}}, PrivateKey: good.PrivateKey}, "cannot be read"},
		"a damaged CA beside it":        {tls.Certificate{Certificate: [][]byte{good.Certificate[0], {1}}, PrivateKey: good.PrivateKey}, "number 2"},
		"one that has ended":            {ended, "has ended"},
	} {
		k, err := pkioverheid.NewKeyPair(c.pair)
		assert.ErrorContains(t, err, c.says, name)
		assert.Nil(t, k, name)

		k, err = pkioverheid.NewKeyPair(good)
		require.NoError(t, err)
		assert.ErrorContains(t, k.Set(c.pair), "stays as it was", name)
		assert.Equal(t, good.Leaf.Raw, k.Certificate().Raw, name)
	}
	assert.Nil(t, new(pkioverheid.KeyPair).Certificate())
}

func TestACertificateThatIsNotYetValidReplacesNoneThatIs(t *testing.T) {
	g1, now := pkiotest.New(pkioverheid.PrivateG1), time.Now()
	good := g1.Issue(pkiotest.Leaf{})
	early, earlier := g1.Issue(pkiotest.Leaf{NotBefore: now.AddDate(0, 0, 30), NotAfter: now.AddDate(1, 0, 0)}), g1.Issue(pkiotest.Leaf{NotBefore: now.AddDate(0, 0, 10), NotAfter: now.AddDate(1, 0, 0)})
	k, err := pkioverheid.NewKeyPair(good)
	require.NoError(t, err)
	assert.ErrorContains(t, k.Set(early), "is not yet valid")
	assert.Equal(t, good.Leaf.Raw, k.Certificate().Raw)

	k, err = pkioverheid.NewKeyPair(early)
	require.NoError(t, err, "there is no other")
	assert.NoError(t, k.Set(earlier), "the present one is not valid either")
	assert.NoError(t, k.Set(good))
}

func TestLoadKeyPairSaysWhatIsWrongWithTheFiles(t *testing.T) {
	t.Parallel()
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	d := deliver(t, g1.Issue(pkiotest.Leaf{}))
	ended := deliver(t, g1.Issue(pkiotest.Leaf{NotAfter: time.Now().Add(-24 * time.Hour)}))
	password := d.put(t, "password", []byte("correct horse\r\n"))
	for name, c := range map[string]struct {
		files pkioverheid.KeyPairFiles
		says  string
	}{
		"the two are swapped":     {pkioverheid.KeyPairFiles{Cert: d.key, Key: d.leaf}, "the two files are swapped: " + d.key + " holds the private key"},
		"no certificate is named": {pkioverheid.KeyPairFiles{Key: d.key}, "KeyPairFiles.Cert is empty"},
		"it has ended":            {pkioverheid.KeyPairFiles{Cert: ended.leaf, Key: ended.key}, "has ended"},
		"two passwords":           {pkioverheid.KeyPairFiles{Cert: d.leaf, Key: d.key, Password: "a", PasswordFile: password}, "set one of them"},
		"no file of a password":   {pkioverheid.KeyPairFiles{Cert: d.leaf, Key: d.key, PasswordFile: d.path("missing")}, "KeyPairFiles.PasswordFile: no such file"},
		"a large one":             {pkioverheid.KeyPairFiles{Cert: d.leaf, Key: d.key, PasswordFile: d.put(t, "large", make([]byte, 1<<20))}, "there are more than 65536 bytes"},
	} {
		_, err := pkioverheid.LoadKeyPair(c.files)
		assert.ErrorContains(t, err, c.says, name)
	}
	// The clock of the files decides.
	_, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: ended.leaf, Key: ended.key, Time: func() time.Time { return time.Now().Add(-36 * time.Hour) }})
	assert.NoError(t, err)
}

// What was meant to be in a file may be where its name belongs.
func TestNoErrorShowsAKeyOrAPasswordInPlaceOfAFileName(t *testing.T) {
	t.Parallel()
	d := deliver(t, pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}))
	text, err := os.ReadFile(d.key)
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	require.NotNil(t, block)
	line := base64.StdEncoding.EncodeToString(block.Bytes)
	for name, c := range map[string]struct {
		files       pkioverheid.KeyPairFiles
		secret, say string
	}{
		"a key in PEM":                     {pkioverheid.KeyPairFiles{Cert: d.leaf, Key: string(text)}, line[:20], "KeyPairFiles.Key holds a key"},
		"a key in one line of base64":      {pkioverheid.KeyPairFiles{Cert: d.leaf, Key: line}, line[:20], "KeyPairFiles.Key holds a key"},
		"a key in DER":                     {pkioverheid.KeyPairFiles{Cert: d.leaf, Key: string(block.Bytes)}, string(block.Bytes[:20]), "KeyPairFiles.Key holds a key"},
		"a key as the certificate":         {pkioverheid.KeyPairFiles{Cert: string(text)}, line[:20], "KeyPairFiles.Cert holds a key"},
		"a key as the file of a password":  {pkioverheid.KeyPairFiles{Cert: d.leaf, Key: d.key, PasswordFile: string(text)}, line[:20], "KeyPairFiles.PasswordFile holds a key"},
		"a password as the file of one":    {pkioverheid.KeyPairFiles{Cert: d.leaf, Key: d.key, PasswordFile: "correct horse"}, "horse", "KeyPairFiles.PasswordFile: no such file"},
		"a long password as the file":      {pkioverheid.KeyPairFiles{Cert: d.leaf, Key: d.key, PasswordFile: strings.Repeat("horse", 60)}, "horse", "KeyPairFiles.PasswordFile: file name too long"},
		"a password for a missing file":    {pkioverheid.KeyPairFiles{Cert: d.path("missing"), Password: "correct horse"}, "horse", "missing"},
		"a password for a file without it": {pkioverheid.KeyPairFiles{Cert: d.leaf, Password: "correct horse"}, "horse", "private key"},
	} {
		_, load := pkioverheid.LoadKeyPair(c.files)
		_, watch := pkioverheid.WatchKeyPair(t.Context(), c.files)
		for _, err := range []error{load, watch} {
			require.ErrorContains(t, err, c.say, name)
			assert.NotContains(t, err.Error(), c.secret, name)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			assert.NotContains(t, fmt.Sprintf(verb, c.files), c.secret, "%s, %s", name, verb)
			assert.NotContains(t, fmt.Sprintf(verb, &c.files), c.secret, "%s, %s", name, verb)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "files", c.files)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("JSON", "files", c.files)
		assert.NotContains(t, log.String(), c.secret, name)
	}
	assert.Equal(t, "{Cert:own.pem Key:own.key}", fmt.Sprint(pkioverheid.KeyPairFiles{Cert: "own.pem", Key: "own.key", Password: "correct horse"}))
}

func TestLoadKeyPairReadsThePasswordFromAFile(t *testing.T) {
	t.Parallel()
	program(t, "openssl")
	d := deliver(t, pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}))
	out := d.path("own.p12")
	text, err := exec.Command("openssl", "pkcs12", "-export", "-in", d.leaf, "-inkey", d.key, "-out", out, "-passout", "pass:correct horse").CombinedOutput()
	require.NoError(t, err, string(text))
	for _, end := range []string{"", "\n", "\r\n"} {
		file := d.put(t, "password", []byte("correct horse"+end))
		_, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: out, PasswordFile: file})
		if testcert.RefusedByFIPS(t, err) {
			return
		}
		assert.NoError(t, err, "%q", end)
	}
	_, err = pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: out, PasswordFile: d.put(t, "password", []byte("correct horse \n"))})
	assert.Error(t, err, "a space belongs to it")
}

// What a server shows after its key pair was replaced, also where crypto/tls asks no
// GetCertificate.
func TestANewKeyPairIsShownInTheNextHandshakes(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	own := g1.KeyPair(pkiotest.Leaf{})
	s := newServer(t, pkioverheid.ServerConfig{KeyPairs: []*pkioverheid.KeyPair{own}}, anybody)
	tc := s.TLSConfig()
	tc.NextProtos = []string{"h2", "http/1.1"}
	address := strings.TrimPrefix(serve(t, tc), "https://")
	client := g1.Issue(pkiotest.Leaf{OIN: someOIN})
	seen := func(name string) *x509.Certificate {
		var shownByServer *x509.Certificate
		conn, err := tls.Dial("tcp", address, &tls.Config{
			ServerName: name, InsecureSkipVerify: true, GetClientCertificate: shown(client),
			VerifyConnection: func(cs tls.ConnectionState) error { shownByServer = cs.PeerCertificates[0]; return nil },
		})
		require.NoError(t, err)
		conn.Close()
		return shownByServer
	}
	names := []string{"localhost", "", "elsewhere.example"} // with SNI, without, with a foreign one
	for _, name := range names {
		assert.Equal(t, own.Certificate().Raw, seen(name).Raw, "before, %q", name)
	}
	require.NoError(t, own.Set(g4.Issue(pkiotest.Leaf{})))
	for _, name := range names {
		assert.Equal(t, own.Certificate().Raw, seen(name).Raw, "after, %q", name)
	}
	assert.NoError(t, call(t, "https://"+address, &client))
}

func TestAClientShowsItsNewKeyPairOnANewConnection(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	var list pkioverheid.OINList
	const other = pkioverheid.OIN("00000001002220647000")
	require.NoError(t, list.Set(someOIN, other))
	s := newServer(t, pkioverheid.ServerConfig{}, list.Allow)
	url := behindTLS(t, s.Handler(http.HandlerFunc(whoAmI)), pkioverheid.ServerConfig{}, true)
	own := g1.KeyPair(pkiotest.Leaf{OIN: someOIN})
	client := newClient(t, pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: []*pkioverheid.KeyPair{own},
		Base: &http.Transport{TLSClientConfig: &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(0)}}})
	ask := func() string {
		resp, err := client.Get(url)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(body)
	}
	assert.EqualValues(t, someOIN, ask())
	assert.EqualValues(t, someOIN, ask())
	require.NoError(t, own.Set(g1.Issue(pkiotest.Leaf{OIN: other})))
	assert.EqualValues(t, other, ask(), "nobody is resumed under the old OIN")
}

// One is under a CA that the server announces, the other is not.
func TestAClientShowsTheFirstThatTheServerTakes(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	ofG1, ofG4 := g1.Issue(pkiotest.Leaf{OIN: someOIN}), g4.Issue(pkiotest.Leaf{OIN: someOIN})
	for name, c := range map[string]struct {
		accepts *truststore.Store
		want    *x509.Certificate
	}{
		"G1 alone":             {g1.Roots(), ofG1.Leaf},
		"G4 alone":             {g4.Roots(), ofG4.Leaf},
		"it announces nothing": {truststore.New(), ofG1.Leaf},
	} {
		seen := make(chan *x509.Certificate, 1)
		url := serve(t, &tls.Config{
			Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}, ClientAuth: tls.RequireAnyClientCert, ClientCAs: c.accepts.CertPool(),
			VerifyConnection: func(cs tls.ConnectionState) error { seen <- cs.PeerCertificates[0]; return nil },
		})
		_, err := get(t, pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairs(ofG1, ofG4)}, url)
		require.NoError(t, err, name)
		assert.Equal(t, c.want.Raw, (<-seen).Raw, name)
	}
}

// The certificates of G4 are signed with RSASSA-PSS and SHA-512, which not every client takes.
func TestAServerShowsTheFirstThatTheClientCanVerify(t *testing.T) {
	t.Parallel()
	program(t, "openssl")
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	ofG4, ofG1 := g4.KeyPair(pkiotest.Leaf{}), g1.KeyPair(pkiotest.Leaf{})
	tc := newServer(t, pkioverheid.ServerConfig{KeyPairs: []*pkioverheid.KeyPair{ofG4, ofG1}}, anybody).TLSConfig()
	tc.NextProtos = []string{"http/1.1"}
	address := strings.TrimPrefix(serve(t, tc), "https://")
	for name, c := range map[string]struct {
		args []string
		want *x509.Certificate
	}{
		"with PSS":                  {nil, ofG4.Certificate()},
		"with PSS, no SNI":          {[]string{"-noservername"}, ofG4.Certificate()},
		"with PSS, a foreign SNI":   {[]string{"-servername", "other.example"}, ofG4.Certificate()},
		"with PSS, TLS 1.2":         {[]string{"-tls1_2"}, ofG4.Certificate()},
		"without PSS":               {[]string{"-tls1_2", "-sigalgs", "RSA+SHA256:RSA+SHA384:RSA+SHA512"}, ofG1.Certificate()},
		"without PSS, no SNI":       {[]string{"-tls1_2", "-noservername", "-sigalgs", "RSA+SHA256:RSA+SHA384:RSA+SHA512"}, ofG1.Certificate()},
		"with PSS, but not SHA-512": {[]string{"-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"}, ofG1.Certificate()},
	} {
		cmd := exec.Command("openssl", append([]string{"s_client", "-connect", address, "-showcerts"}, c.args...)...)
		cmd.Stdin = strings.NewReader("")
		out, _ := cmd.Output() // it shows no certificate, and is refused then
		block, _ := pem.Decode(out)
		require.NotNil(t, block, "%s: %s", name, out)
		assert.Equal(t, c.want.Raw, block.Bytes, name)
	}
}

// Contents of Roots that are refused do not keep a new key pair away.
func TestRefusedRootsDoNotKeepANewKeyPairAway(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	roots := truststore.NewSource(fixtureRoots())
	own := g1.KeyPair(pkiotest.Leaf{})
	var refusals atomic.Int64
	s := newServer(t, pkioverheid.ServerConfig{
		Trust:    pkioverheid.Trust{Roots: roots, Logger: slog.New(logFunc(func(slog.Record) { refusals.Add(1) }))},
		KeyPairs: []*pkioverheid.KeyPair{own},
	}, anybody)
	tc := s.TLSConfig()
	require.NoError(t, roots.Set(truststore.New(pkioverheid.G3.Root())))
	require.NoError(t, own.Set(g1.Issue(pkiotest.Leaf{})))
	got, err := tc.GetConfigForClient(&tls.ClientHelloInfo{})
	require.NoError(t, err)
	assert.Equal(t, own.Certificate().Raw, got.Certificates[0].Certificate[0])
	assert.EqualValues(t, 1, refusals.Load())
	client := g1.Issue(pkiotest.Leaf{})
	assert.NoError(t, call(t, serve(t, tc), &client), "the roots from before are trusted")
}

func TestAServerBehindAProxyHasNoHandshakesWithoutAKeyPair(t *testing.T) {
	s := newServer(t, pkioverheid.ServerConfig{Proxy: &pkioverheid.Proxy{Format: pkioverheid.RFC9440, Unix: true}}, anybody)
	_, err := s.TLSConfig().GetConfigForClient(&tls.ClientHelloInfo{})
	assert.ErrorContains(t, err, "KeyPairs is empty")
}

func TestClientTLSConfigTakesNoBase(t *testing.T) {
	_, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Base: new(http.Transport)})
	assert.ErrorContains(t, err, "ClientConfig.Base")
}

// A JKS can have a password for itself and another for the key in it: keytool made this one.
func TestAKeyInAJKSCanHaveAPasswordOfItsOwn(t *testing.T) {
	const jks, wrong = "../truststore/testdata/cases/key.jks", "the password given does not fit"
	passwordFile := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(passwordFile, []byte("storepass\n"), 0o600))
	for name, c := range map[string]struct {
		files pkioverheid.KeyPairFiles
		says  string
	}{
		"both passwords":                   {pkioverheid.KeyPairFiles{Password: "storepass", KeyPassword: "keypass1"}, ""},
		"that of the store in a file":      {pkioverheid.KeyPairFiles{PasswordFile: passwordFile, KeyPassword: "keypass1"}, ""},
		"that of the key only":             {pkioverheid.KeyPairFiles{KeyPassword: "keypass1"}, ""},
		"that of the store only":           {pkioverheid.KeyPairFiles{Password: "storepass"}, wrong},
		"that of the store for both":       {pkioverheid.KeyPairFiles{Password: "storepass", KeyPassword: "storepass"}, wrong},
		"that of the key for the store":    {pkioverheid.KeyPairFiles{Password: "keypass1", KeyPassword: "keypass1"}, wrong},
		"none":                             {pkioverheid.KeyPairFiles{}, "no password was given"},
		"the two of them in place of each": {pkioverheid.KeyPairFiles{Password: "keypass1", KeyPassword: "storepass"}, wrong},
	} {
		c.files.Cert = jks
		k, err := pkioverheid.LoadKeyPair(c.files)
		if testcert.RefusedByFIPS(t, err) {
			continue
		}
		if c.says == "" {
			require.NoError(t, err, name)
			assert.Equal(t, "own", k.Certificate().Subject.CommonName, name)
			continue
		}
		require.ErrorContains(t, err, c.says, name)
		assert.NotContains(t, err.Error(), "keypass1", name)
		assert.NotContains(t, err.Error(), "storepass", name)
	}
}
