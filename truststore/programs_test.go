package truststore

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests give what we write to the programs that read it, and read what those
// programs write. Everything listens on 127.0.0.1 only.

// issued is a certificate with its key.
type issued struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a CA, signed by itself if by is nil, or a certificate for localhost.
func issue(t testing.TB, name string, ca bool, by *issued) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: ca,
	}
	if ca {
		template.KeyUsage = x509.KeyUsageCertSign
	} else {
		template.KeyUsage = x509.KeyUsageDigitalSignature
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		template.DNSNames, template.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	require.NoError(t, err)
	return &issued{parse(t, der), key}
}

// pair is what a TLS server or client shows: its certificate, and the CA below the root.
func (i *issued) pair(chain ...*x509.Certificate) tls.Certificate {
	p := tls.Certificate{Certificate: [][]byte{i.cert.Raw}, PrivateKey: crypto.Signer(i.key)}
	for _, cert := range chain {
		p.Certificate = append(p.Certificate, cert.Raw)
	}
	return p
}

// fixture is a server under a root of its own, and a store with that root among
// others. The strangers are a store without it.
func fixture(t *testing.T) (url string, trusted, strangers *Store) {
	t.Helper()
	root := issue(t, "Fixture Root – Één", true, nil)
	ca := issue(t, "Fixture CA", true, root)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{issue(t, "localhost", false, ca).pair(ca.cert)}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	strangers = New(realCerts(t)...)
	trusted = New(append(realCerts(t), root.cert)...)
	return server.URL, trusted, strangers
}

func encode(t testing.TB, s *Store, f Format, password string) []byte {
	t.Helper()
	// TestJKSRoundTrips checks that FIPS 140-3 has no JKS.
	return unenforced(t, func() ([]byte, error) { return s.Encode(f, WithPassword(password)) })
}

// oddNames are certificates whose common names need care as aliases.
func oddNames(t testing.TB) []*x509.Certificate {
	var certs []*x509.Certificate
	for _, cn := range []string{"Same Name", "SAME NAME", "same name (2)", "Same Name", "Één – naam", "𝄞 clef", "İstanbul", "line\nbreak", "  ", strings.Repeat("long ", 60)} {
		certs = append(certs, newCert(t, pkix.Name{CommonName: cn}))
	}
	return certs
}

func TestKeytoolListsWhatWeWrite(t *testing.T) {
	s := New(append(realCerts(t), oddNames(t)...)...)
	dir := t.TempDir()
	for _, f := range []Format{PKCS12, JKS} {
		t.Run(string(f), func(t *testing.T) {
			write(t, dir, "store", encode(t, s, f, "geheim"))
			out := string(tool(t, dir, "keytool", "-J-Duser.language=en", "-J-Dfile.encoding=UTF-8", "-list", "-keystore", "store", "-storepass", "geheim"))
			assert.Contains(t, out, fmt.Sprintf("contains %d entries", s.Len()))
			assert.Equal(t, s.Len(), strings.Count(out, "trustedCertEntry"), out)
			for cert, alias := range s.aliases() {
				assert.Contains(t, out, colons(FingerprintOf(cert)))
				if isASCII(alias) {
					assert.Contains(t, out, "\n"+alias+", ")
				}
			}
			assert.Contains(t, out, "\nstaat der nederlanden ev root ca, ")
			assert.Contains(t, out, "\nsame name (2), ")
			// One that is exported is the one that was meant.
			for cert, alias := range s.aliases() {
				if alias == "same name (2)" {
					der := tool(t, dir, "keytool", "-exportcert", "-alias", "Same Name (2)", "-keystore", "store", "-storepass", "geheim")
					assert.True(t, bytes.Contains(der, cert.Raw))
				}
			}
		})
	}
	// Java wants the password of a JKS in UTF-16, keytool the one of its console in
	// the encoding of that.
	write(t, dir, "jks", encode(t, s, JKS, "gehéim"))
	write(t, dir, "password", []byte("gehéim"))
	out := string(tool(t, dir, "keytool", "-J-Dfile.encoding=UTF-8", "-J-Dsun.jnu.encoding=UTF-8", "-list", "-keystore", "jks", "-storepass:file", "password"))
	assert.Equal(t, s.Len(), strings.Count(out, "trustedCertEntry"), out)
}

// One certificate without a name would make Java refuse the whole file.
func TestWhatJavaRefusesIsNotWritten(t *testing.T) {
	root := issue(t, "Root", true, nil)
	sign := func(template *x509.Certificate, parent *x509.Certificate) *x509.Certificate {
		template.SerialNumber, template.NotAfter = big.NewInt(5), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, root.key.Public(), root.key)
		require.NoError(t, err)
		return parse(t, der)
	}
	for name, c := range map[string]struct {
		cert *x509.Certificate
		want string
	}{
		"no issuer":                           {sign(&x509.Certificate{Subject: pkix.Name{CommonName: "leaf"}}, &x509.Certificate{}), "has no issuer"},
		"no subject":                          {sign(&x509.Certificate{}, root.cert), "has no subject"},
		"no subject and an alternative":       {sign(&x509.Certificate{DNSNames: []string{"localhost"}}, root.cert), ""},
		"a subject without a common name":     {sign(&x509.Certificate{Subject: pkix.Name{Organization: []string{"O"}}}, root.cert), ""},
		"a subject and an issuer, as usually": {root.cert, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ks := keystore.New()
			require.NoError(t, ks.SetTrustedCertificateEntry("x", keystore.TrustedCertificateEntry{Certificate: keystore.Certificate{Type: "X.509", Content: c.cert.Raw}}))
			var jks bytes.Buffer
			fips140.WithoutEnforcement(func() { require.NoError(t, ks.Store(&jks, []byte("geheim"))) })
			write(t, dir, "jks", jks.Bytes())
			cmd := exec.Command(program(t, "keytool"), "-list", "-keystore", filepath.Join(dir, "jks"), "-storepass", "geheim")
			out, err := cmd.CombinedOutput()
			assert.Equal(t, c.want == "", err == nil, "%s", out)
			for _, f := range []Format{PKCS12, JKS} {
				_, err := New(root.cert, c.cert).Encode(f, WithPassword("geheim"))
				if refused(t, err) {
					continue
				}
				if c.want == "" {
					assert.NoError(t, err)
				} else {
					assert.ErrorContains(t, err, FingerprintOf(c.cert).String()+" "+c.want)
				}
			}
		})
	}
}

func colons(f Fingerprint) string {
	return strings.Trim(regexp.MustCompile("..").ReplaceAllString(strings.ToUpper(f.String()), "$0:"), ":")
}

func TestWhatKeytoolMadeDecodes(t *testing.T) {
	slow(t)
	certs := realCerts(t)[:2]
	dir := t.TempDir()
	write(t, dir, "a.pem", text(certs[0]))
	write(t, dir, "b.pem", text(certs[1]))
	keytool := func(args ...string) {
		tool(t, dir, "keytool", append(args, "-storepass", "geheim", "-noprompt")...)
	}
	for name, args := range map[string]string{
		"JKS":                            "-storetype JKS",
		"PKCS12":                         "-storetype PKCS12",
		"PKCS12 with RC2 and triple DES": "-storetype PKCS12 -J-Dkeystore.pkcs12.legacy",
		"PKCS12 with SHA-512 as its MAC": "-storetype PKCS12 -J-Dkeystore.pkcs12.macAlgorithm=HmacPBESHA512",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "store")
			for alias, in := range map[string]string{"Een": "a.pem", "twee": "b.pem"} {
				keytool(append([]string{"-importcert", "-alias", alias, "-file", in, "-keystore", file}, strings.Fields(args)...)...)
			}
			data := read(t, "", file)
			if name == "JKS" {
				for _, opts := range [][]Option{nil, {WithPassword("geheim")}} {
					s, err := Decode(data, opts...)
					if refused(t, err) {
						return
					}
					require.NoError(t, err)
					assert.Equal(t, 2, s.Len())
					assert.Empty(t, Diff(New(certs...), s))
				}
				_, err := Decode(data, WithPassword("wrong"))
				assert.ErrorContains(t, err, "the password given does not fit")
				return
			}
			assertNeedsItsPassword(t, data, "geheim", certs)
		})
	}
	for kind, want := range map[string]string{"JKS": "(mine) in the JKS: there is a private key in it", "PKCS12": "there is a private key in it", "JCEKS": "JCEKS"} {
		t.Run(kind+" with a private key", func(t *testing.T) {
			keytool("-genkeypair", "-keyalg", "EC", "-alias", "mine", "-dname", "CN=mine", "-keystore", "key."+kind, "-storetype", kind)
			_, err := Open(filepath.Join(dir, "key."+kind), WithPassword("geheim"))
			assert.ErrorContains(t, err, want)
		})
	}
	t.Run("PKCS12 with a secret key", func(t *testing.T) {
		keytool("-genseckey", "-keyalg", "AES", "-keysize", "128", "-alias", "mine", "-keystore", "secret.p12", "-storetype", "PKCS12")
		_, err := Open(filepath.Join(dir, "secret.p12"), WithPassword("geheim"))
		assert.ErrorContains(t, err, "holds a secret")
	})
}

// javaClient calls a URL once for each file that follows, with the file as its
// trust store, and with the one of Java's own if there is none.
const javaClient = `
import java.io.FileInputStream;
import java.net.URL;
import java.security.KeyStore;
import javax.net.ssl.*;

public class Client {
	public static void main(String[] args) throws Exception {
		if (args.length == 1) {
			System.out.println(get(args[0], (SSLSocketFactory) SSLSocketFactory.getDefault()));
		}
		for (int i = 1; i < args.length; i += 3) {
			KeyStore store = KeyStore.getInstance(args[i + 1]);
			try (FileInputStream in = new FileInputStream(args[i])) {
				store.load(in, args[i + 2].toCharArray());
			}
			TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
			trust.init(store);
			SSLContext context = SSLContext.getInstance("TLS");
			context.init(null, trust.getTrustManagers(), null);
			System.out.println(args[i] + ": " + store.size() + " entries, " + get(args[0], context.getSocketFactory()));
		}
	}

	static String get(String url, SSLSocketFactory factory) throws Exception {
		HttpsURLConnection c = (HttpsURLConnection) new URL(url).openConnection();
		c.setSSLSocketFactory(factory);
		c.setConnectTimeout(10000);
		c.setReadTimeout(10000);
		try {
			return new String(c.getInputStream().readAllBytes());
		} catch (SSLHandshakeException e) {
			return "refused";
		}
	}
}
`

func TestJavaTrustsWhatWeWrite(t *testing.T) {
	url, trusted, strangers := fixture(t)
	dir := t.TempDir()
	write(t, dir, "Client.java", []byte(javaClient))
	write(t, dir, "trusted.p12", encode(t, trusted, PKCS12, "geheim"))
	write(t, dir, "trusted.jks", encode(t, trusted, JKS, "gehéim"))
	write(t, dir, "strangers.p12", encode(t, strangers, PKCS12, "geheim"))
	write(t, dir, "strangers.jks", encode(t, strangers, JKS, "short"))
	encoding := []string{"-Dfile.encoding=UTF-8", "-Dsun.jnu.encoding=UTF-8"}
	out := string(tool(t, dir, "java", append(encoding, "Client.java", url,
		"trusted.p12", "PKCS12", "geheim", "trusted.jks", "JKS", "gehéim",
		"strangers.p12", "PKCS12", "geheim", "strangers.jks", "JKS", "short")...))
	assert.Contains(t, out, fmt.Sprintf("trusted.p12: %d entries, hello\ntrusted.jks: %[1]d entries, hello\n", trusted.Len()))
	assert.Contains(t, out, fmt.Sprintf("strangers.p12: %d entries, refused\nstrangers.jks: %[1]d entries, refused\n", strangers.Len()))

	// As most programs do.
	for file, want := range map[string]string{"trusted.p12": "hello", "strangers.p12": "refused"} {
		out := tool(t, dir, "java", "-Djavax.net.ssl.trustStore="+file, "-Djavax.net.ssl.trustStorePassword=geheim", "Client.java", url)
		assert.Equal(t, want, strings.TrimSpace(string(out)))
	}
}

func TestPKCS12OfOpenSSLWithoutKeysDecodes(t *testing.T) {
	certs := realCerts(t)
	dir := t.TempDir()
	write(t, dir, "in.pem", text(certs...))
	for name, args := range map[string]string{
		"as it is":            "",
		"legacy":              "-legacy",
		"legacy, triple DES":  "-legacy -descert",
		"RC2 with 128 bits":   "-legacy -certpbe PBE-SHA1-RC2-128",
		"AES-128":             "-certpbe AES-128-CBC",
		"SHA-512 as its MAC":  "-macalg sha512",
		"one iteration":       "-noiter -nomaciter",
		"with a name for all": "-caname naam",
		"for Java":            "-jdktrust anyExtendedKeyUsage",
	} {
		t.Run(name, func(t *testing.T) {
			if name == "for Java" && !strings.Contains(helpOf(t, "pkcs12"), "-jdktrust") {
				return // OpenSSL 3.2 and later
			}
			out := filepath.Join(t.TempDir(), "out.p12")
			tool(t, dir, "openssl", append([]string{"pkcs12", "-export", "-in", "in.pem", "-nokeys", "-passout", "pass:" + testPassword, "-out", out}, strings.Fields(args)...)...)
			assertNeedsItsPassword(t, read(t, "", out), testPassword, certs)
			out += "-empty"
			tool(t, dir, "openssl", append([]string{"pkcs12", "-export", "-in", "in.pem", "-nokeys", "-passout", "pass:", "-out", out}, strings.Fields(args)...)...)
			s, err := Decode(read(t, "", out))
			if refused(t, err) {
				return
			}
			require.NoError(t, err, "an empty password is none")
			assertCerts(t, certs, s)
		})
	}
}

func TestPKCS12OfCerttoolWithoutKeysDecodes(t *testing.T) {
	slow(t)
	all := realCerts(t)
	dir := t.TempDir()
	generate := func(cipher string, certs ...*x509.Certificate) []byte {
		write(t, dir, "in.pem", text(certs...))
		tool(t, dir, "certtool", "--to-p12", "--load-certificate", "in.pem", "--p12-name", "naam", "--password", "geheim", "--pkcs-cipher", cipher, "--outder", "--outfile", "out.p12")
		return read(t, dir, "out.p12")
	}
	for name, cipher := range map[string]string{"AES": "aes-256", "triple DES": "3des-pkcs12", "RC2": "rc2-40"} {
		t.Run(name, func(t *testing.T) { assertNeedsItsPassword(t, generate(cipher, all[:3]...), "geheim", all[:3]) })
	}
	// It hashes the password anew for each certificate. The count is its own, and
	// the more of them the more careful.
	if s, err := Decode(generate("aes-256", all...), WithPassword("geheim")); refused(t, err) {
		return
	} else if err != nil {
		assert.ErrorContains(t, err, "more than 16000000 blocks")
	} else {
		assertCerts(t, all, s)
	}
}

func helpOf(t *testing.T, command string) string {
	return string(tool(t, "", "openssl", command, "-help"))
}

func TestOpenSSLReadsWhatWeWrite(t *testing.T) {
	s := New(append(realCerts(t), oddNames(t)...)...)
	dir := t.TempDir()
	write(t, dir, "ours.p12", encode(t, s, PKCS12, "geheim"))
	write(t, dir, "ours.p7b", encode(t, s, PKCS7, ""))
	write(t, dir, "ours.pem", encode(t, s, PEM, ""))
	for name, args := range map[string]string{
		"pkcs12":                 "pkcs12 -in ours.p12 -nokeys -passin pass:geheim",
		"pkcs7 -print_certs":     "pkcs7 -in ours.p7b -inform DER -print_certs",
		"storeutl of the PKCS12": "storeutl -certs -passin pass:geheim ours.p12",
		"storeutl of the PEM":    "storeutl -certs ours.pem",
	} {
		t.Run(name, func(t *testing.T) {
			again, err := Decode(tool(t, dir, "openssl", strings.Fields(args)...))
			require.NoError(t, err)
			assert.Equal(t, s.Len(), again.Len())
			assert.Empty(t, Diff(s, again))
		})
	}
	out := string(tool(t, dir, "openssl", "pkcs12", "-in", "ours.p12", "-nokeys", "-passin", "pass:geheim"))
	assert.Contains(t, out, "friendlyName: staat der nederlanden ev root ca\n")
}

func TestCerttoolReadsWhatWeWrite(t *testing.T) {
	s := New(realCerts(t)...) // of more than 32 in a PKCS#12, GnuTLS reads 32
	dir := t.TempDir()
	write(t, dir, "ours.p12", encode(t, s, PKCS12, "geheim"))
	write(t, dir, "ours.p7b", encode(t, s, PKCS7, ""))
	write(t, dir, "ours.pem", encode(t, s, PEM, ""))
	for name, args := range map[string]string{
		"PKCS12": "--p12-info --inder --infile ours.p12 --password geheim",
		"PKCS7":  "--p7-info --inder --infile ours.p7b",
		"PEM":    "--certificate-info --infile ours.pem",
	} {
		t.Run(name, func(t *testing.T) {
			again, err := Decode(tool(t, dir, "certtool", strings.Fields(args)...))
			require.NoError(t, err)
			assert.Equal(t, s.Len(), again.Len())
			assert.Empty(t, Diff(s, again))
		})
	}
}

func TestCurlTrustsWhatWeWrite(t *testing.T) {
	url, trusted, strangers := fixture(t)
	dir := t.TempDir()
	write(t, dir, "trusted.pem", encode(t, trusted, PEM, ""))
	write(t, dir, "strangers.pem", encode(t, strangers, PEM, ""))
	curl := program(t, "curl")
	for _, file := range []string{"trusted.pem", "strangers.pem"} {
		cmd := exec.Command(curl, "--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--cacert", file, url)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		assert.Equal(t, file == "trusted.pem", err == nil && string(out) == "hello", "%s", out)
	}
}

// nginx starts an nginx that wants client certificates, and returns its URL.
func nginx(t *testing.T, dir string, directives ...string) string {
	t.Helper()
	path := program(t, "nginx")
	// It takes over the listening socket, as from its predecessor in an upgrade:
	// nobody else can get the port, and whoever connects waits for nginx.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	socket, err := listener.(*net.TCPListener).File()
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	defer socket.Close()
	conf := "daemon off; pid pid; error_log stderr;\nevents {}\nhttp {\n access_log off;\n"
	for _, of := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		conf += fmt.Sprintf(" %s_temp_path %s;\n", of, of)
	}
	conf += fmt.Sprintf(" server {\n  listen %s ssl;\n  ssl_verify_client on;\n  ssl_verify_depth 3;\n  %s;\n", listener.Addr(), strings.Join(directives, ";\n  "))
	conf += "  location / { return 200 $ssl_client_verify; }\n }\n}\n"
	file := write(t, dir, "nginx.conf", []byte(conf))
	out := tool(t, dir, "nginx", "-t", "-p", dir, "-e", "stderr", "-c", file)
	assert.Contains(t, string(out), "test is successful")
	cmd := exec.Command(path, "-p", dir, "-e", "stderr", "-c", file)
	cmd.ExtraFiles, cmd.Env = []*os.File{socket}, append(os.Environ(), "NGINX=3;")
	var log bytes.Buffer
	cmd.Stderr = &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // so that its worker ends too
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx: %s", log.Bytes())
		}
	})
	return "https://" + listener.Addr().String()
}

func TestNginxTrustsWhatWeWrite(t *testing.T) {
	root := issue(t, "Client Root", true, nil)
	ca := issue(t, "Client CA", true, root)
	client := issue(t, "client", false, ca)
	serverRoot := issue(t, "Server Root", true, nil)
	dir := t.TempDir()
	key := pkcs8(t, client.key)
	write(t, dir, "own.pem", text(client.cert, ca.cert))
	write(t, dir, "own.key", pemOf("PRIVATE KEY", key))
	write(t, dir, "trusted.pem", encode(t, New(append(realCerts(t), root.cert)...), PEM, ""))
	write(t, dir, "strangers.pem", encode(t, New(realCerts(t)...), PEM, ""))
	write(t, dir, "server.pem", encode(t, New(serverRoot.cert), PEM, ""))
	server := issue(t, "localhost", false, serverRoot)
	write(t, dir, "nginx.pem", text(server.cert))
	write(t, dir, "nginx.key", pemOf("PRIVATE KEY", pkcs8(t, server.key)))
	for name, c := range map[string]struct{ client, trusted, want string }{
		"ssl_client_certificate":                      {"trusted.pem", "", "SUCCESS"},
		"ssl_trusted_certificate":                     {"server.pem", "trusted.pem", "SUCCESS"},
		"ssl_client_certificate without the root":     {"strangers.pem", "", "400 The SSL certificate error"},
		"ssl_trusted_certificate, neither has a root": {"server.pem", "strangers.pem", "400 The SSL certificate error"},
	} {
		t.Run(name, func(t *testing.T) {
			directives := []string{
				"ssl_certificate " + filepath.Join(dir, "nginx.pem"), "ssl_certificate_key " + filepath.Join(dir, "nginx.key"),
				"ssl_client_certificate " + filepath.Join(dir, c.client),
			}
			if c.trusted != "" {
				directives = append(directives, "ssl_trusted_certificate "+filepath.Join(dir, c.trusted))
			}
			url := nginx(t, dir, directives...)
			out := tool(t, dir, "curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--cacert", "server.pem", "--cert", "own.pem", "--key", "own.key", url)
			assert.Contains(t, string(out), c.want)
		})
	}
}
