package pkioverheid

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The words are those of the Go that runs the test, each of them.
func TestEachAlertIsReadInCryptoTLSsWords(t *testing.T) {
	for a, words := range map[alert]string{
		handshakeFailure:    "tls: handshake failure",
		badCertificate:      "tls: bad certificate",
		unsupportedCert:     "tls: unsupported certificate",
		revokedCertificate:  "tls: revoked certificate",
		expiredCertificate:  "tls: expired certificate",
		unknownCertificate:  "tls: unknown certificate",
		unknownCA:           "tls: unknown certificate authority",
		accessDenied:        "tls: access denied",
		decryptError:        "tls: error decrypting message",
		internalError:       "tls: internal error",
		noRenegotiation:     "tls: no renegotiation",
		certificateRequired: "tls: certificate required",
	} {
		assert.Equal(t, words, tls.AlertError(a).Error())
		for op, local := range map[string]bool{"remote error": false, "local error": true} {
			got, ours := alertOf(&net.OpError{Op: op, Err: errors.New(words)})
			assert.Equal(t, a, got, words)
			assert.Equal(t, local, ours)
		}
	}
	got, _ := alertOf(&net.OpError{Op: "remote error", Err: errors.New("tls: record overflow")})
	assert.Equal(t, otherAlert, got)
	got, _ = alertOf(&net.OpError{Op: "read", Err: errors.New("tls: bad certificate")})
	assert.Equal(t, noAlert, got)
}

func TestEachLossOfHTTP2IsReadInNetHTTPsWords(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	root := strings.TrimSpace(string(goroot))
	source, err := os.ReadFile(filepath.Join(root, "src", "net", "http", "h2_bundle.go"))
	if errors.Is(err, os.ErrNotExist) {
		files, globErr := filepath.Glob(filepath.Join(root, "src", "net", "http", "internal", "http2", "*.go"))
		require.NoError(t, globErr)
		for _, f := range files {
			data, readErr := os.ReadFile(f)
			require.NoError(t, readErr)
			source = append(source, data...)
		}
	}
	if len(source) == 0 {
		t.Skip("the source of net/http is not installed")
	}
	for _, words := range http2Lost {
		assert.True(t, bytes.Contains(source, []byte(`"`+words+`"`)), words)
		assert.Error(t, lostBy(errors.New(words)))
	}
	assert.NoError(t, lostBy(errors.New("http2: something else")))
}
