package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Keys that Go does not know have a name too: OpenSSL made them.
func TestWhatAFileHoldsThatIsNotACertificate(t *testing.T) {
	const cases = "../../truststore/testdata/cases/"
	dir := t.TempDir()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	ours := filepath.Join(dir, "public.pem")
	require.NoError(t, os.WriteFile(ours, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600))
	for file, want := range map[string]string{
		cases + "request.csr.der":        "a certificate request for CN=localhost, with a key of RSA 2048. A certificate is what the certificate supplier (TSP) makes of it.",
		cases + "publickey.der":          "a public key of RSA 2048, without a certificate, SHA-256 of its SubjectPublicKeyInfo fefeb8317434a332a9a1d154108dc64e5f4d1a82cc08e5dff686baf01345b8c7: not that of a CA of PKIoverheid that is known here",
		ours:                             fmt.Sprintf("a public key of RSA 2048, without a certificate, SHA-256 of its SubjectPublicKeyInfo %x: not that of a CA of PKIoverheid that is known here", sha256.Sum256(public)),
		cases + "brainpool.key.pem":      "a private key of ECDSA on brainpoolP256r1 (1.3.36.3.3.2.8.1.1.7), in the clear: whoever reads the file has it",
		cases + "explicit-curve.key.pem": "a private key of ECDSA on a curve with explicit parameters, in the clear: whoever reads the file has it",
		cases + "dsa.key.pem":            "a private key of DSA (1.2.840.10040.4.1), in the clear: whoever reads the file has it",
		cases + "dh.key.pem":             "a private key of DH (1.2.840.113549.1.3.1), in the clear: whoever reads the file has it",
		cases + "rsa-pss.key.pem":        "a private key of RSA-PSS (1.2.840.113549.1.1.10), in the clear: whoever reads the file has it",
		cases + "ed448.key.pem":          "a private key of Ed448 (1.3.101.113), in the clear: whoever reads the file has it",
	} {
		assert.Equal(t, []string{file + ": " + want}, whatElse(file))
	}
	for _, file := range []string{cases + "html-page.cer", cases + "ed448.pem", cases + "key.jks", dir} {
		assert.Empty(t, whatElse(file), file)
	}

	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	request := filepath.Join(dir, "request.pem")
	out, err := exec.Command(openssl, "req", "-new", "-key", cases+"ed448.key.pem", "-subj", "/CN=x", "-out", request).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, []string{request + ": a certificate request for CN=x, with a key of Ed448 (1.3.101.113); its signature cannot be checked here. A certificate is what the certificate supplier (TSP) makes of it."}, whatElse(request))
}
