package truststore

import (
	"encoding/pem"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// certtool writes a PKCS#12 in PEM, without --outder.
func TestAPKCS12InPEMIsRead(t *testing.T) {
	certs := realCerts(t)[:2]
	data := pem.EncodeToMemory(&pem.Block{Type: "PKCS12", Bytes: encode(t, New(certs...), PKCS12, "geheim")})
	s, err := Decode(data, WithPassword("geheim"))
	require.NoError(t, err)
	assert.Equal(t, certs, slices.Collect(s.All()))
	_, err = Decode(data)
	assert.ErrorIs(t, err, ErrNoPassword)
	assert.ErrorContains(t, err, "block 1 (PKCS12, line 1, byte 0): ")
	_, err = Decode(data, WithPassword("anders"))
	assert.ErrorIs(t, err, ErrPassword)
	for e := range Entries(data, WithPassword("geheim")) {
		assert.NoError(t, e.Err)
		assert.Equal(t, PEM, e.Format)
		assert.Equal(t, 1, e.Number)
		assert.NotEmpty(t, e.Alias)
	}

	dir := t.TempDir()
	write(t, dir, "in.pem", text(certs...))
	if path, err := exec.LookPath("certtool"); err == nil {
		cmd := exec.Command(path, "--to-p12", "--load-certificate", "in.pem", "--p12-name", "naam", "--password", "geheim", "--outfile", "out.p12")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		s, err := Open(filepath.Join(dir, "out.p12"), WithPassword("geheim"))
		if refused(t, err) {
			return
		}
		require.NoError(t, err)
		assert.Equal(t, 2, s.Len())
	}
}

func TestAKeyInAPKCS12InPEMIsRead(t *testing.T) {
	data := pem.EncodeToMemory(&pem.Block{Type: "PKCS12", Bytes: seeds(t, "key")["testdata/seeds/key/openssl.p12"]})
	key, certs, err := DecodeKey(data, WithPassword(seedPassword))
	if refused(t, err) {
		return
	}
	require.NoError(t, err)
	assert.NotNil(t, key)
	assert.NotZero(t, certs.Len())
	_, err = Decode(data, WithPassword(seedPassword))
	assert.ErrorIs(t, err, ErrPrivateKey)
}

// Java reads it, whatever the label.
func TestAPKCS7UnderTheLabelOfACertificateIsRead(t *testing.T) {
	certs := realCerts(t)[:2]
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: encode(t, New(certs...), PKCS7, "")})
	s, err := Decode(append(data, text(realCerts(t)[2])...))
	require.NoError(t, err)
	assert.Equal(t, realCerts(t)[:3], slices.Collect(s.All()))
	if path, err := exec.LookPath("keytool"); err == nil {
		out, err := exec.Command(path, "-printcert", "-file", write(t, t.TempDir(), "p7", data)).CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Contains(t, string(out), "Certificate[2]:")
	}
}
