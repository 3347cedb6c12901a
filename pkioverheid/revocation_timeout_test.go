package pkioverheid

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
)

// A fetch may take 10 seconds, and http.DefaultTransport gives the handshake as many:
// its error would come first.
func TestAHandshakeMayTakeLongerThanTheFetchOfACRL(t *testing.T) {
	checker, err := crl.NewChecker(crl.Config{Hosts: CRLHosts()})
	require.NoError(t, err)
	defer checker.Close()
	for name, c := range map[string]struct {
		cfg  ClientConfig
		want time.Duration
	}{
		"without revocation":            {ClientConfig{}, 10 * time.Second},
		"with it":                       {ClientConfig{Trust: Trust{Revocation: checker}}, 20 * time.Second},
		"with a transport of one's own": {ClientConfig{Trust: Trust{Revocation: checker}, Base: &http.Transport{TLSHandshakeTimeout: time.Second}}, time.Second},
	} {
		tr, err := NewTransport(c.cfg)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, tr.current.get().lanes[lane{}].TLSHandshakeTimeout, name)
	}
}
