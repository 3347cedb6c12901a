package pkioverheid_test

import (
	"crypto"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// loopback is the address of a test server, as net.Dial takes it.
func loopback(url string) string { return "127.0.0.1" + strings.TrimPrefix(url, "https://localhost") }

// resuming is a client that keeps its sessions, and counts the signatures of its key.
func resuming(t *testing.T, version uint16) (*tls.Config, *counting) {
	t.Helper()
	cert := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.OIN(someOIN))
	key := &counting{Signer: cert.PrivateKey.(crypto.Signer)}
	cert.PrivateKey = key
	tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairs(cert)})
	require.NoError(t, err)
	tc.ServerName, tc.MaxVersion, tc.ClientSessionCache = "localhost", version, tls.NewLRUClientSessionCache(0)
	return tc, key
}

func TestAClientThatGoesOnResumingMustSignOnceInASessionLifetime(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, c := range []struct {
			name            string
			lifetime, every time.Duration
			signatures      int // in twelve connections
		}{
			{"24 hours by default, reconnecting each 5 hours", 0, 5 * time.Hour, 3},
			{"an hour, reconnecting each 10 minutes", time.Hour, 10 * time.Minute, 2},
			{"a week, reconnecting each 5 days", 7 * 24 * time.Hour, 5 * 24 * time.Hour, 6},
			{"a minute, reconnecting each 2 minutes", time.Minute, 2 * time.Minute, 12},
		} {
			t.Run(tls.VersionName(version)+"/"+c.name, func(t *testing.T) {
				clock := new(laterClock)
				address := loopback(serve(t, serverConfig(t, pkioverheid.ServerConfig{
					Trust: pkioverheid.Trust{Time: clock.now}, SessionLifetime: c.lifetime,
				}, pkioverheid.AllowOIN(someOIN))))
				client, key := resuming(t, version)
				for range 12 {
					_, err := exchange(address, client)
					require.NoError(t, err)
					clock.ahead.Add(int64(c.every))
				}
				assert.Equal(t, c.signatures, key.times)
			})
		}
	}
}

// Two sessions of one certificate, the older one resumed at the same time as the newer:
// neither lasts longer for it.
func TestSessionsOfOneCertificateDoNotProlongEachOther(t *testing.T) {
	clock := new(laterClock)
	address := loopback(serve(t, serverConfig(t, pkioverheid.ServerConfig{
		Trust: pkioverheid.Trust{Time: clock.now}, SessionLifetime: time.Hour,
	}, pkioverheid.AllowOIN(someOIN))))
	older, key := resuming(t, tls.VersionTLS13)
	newer := older.Clone()
	newer.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	again := func(tc *tls.Config) bool {
		resumed, err := exchange(address, tc)
		require.NoError(t, err)
		return resumed
	}
	assert.False(t, again(older))
	clock.ahead.Add(int64(50 * time.Minute))
	assert.False(t, again(newer))
	assert.True(t, again(newer))
	assert.True(t, again(older))
	assert.True(t, again(newer))
	clock.ahead.Add(int64(11 * time.Minute))
	assert.False(t, again(older), "it signed 61 minutes ago")
	signed := key.times
	again(newer) // may have to sign too early, never too late
	clock.ahead.Add(int64(30 * time.Minute))
	assert.True(t, again(newer), "and recovers")
	assert.LessOrEqual(t, key.times, signed+1)
}

func TestASessionEndsWithTheCertificateThatTheServerShowed(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			own := pairs(ownPair())
			server := serverConfig(t, pkioverheid.ServerConfig{KeyPairs: own}, pkioverheid.AllowOIN(someOIN))
			server.NextProtos = []string{"http/1.1"}
			address := loopback(serve(t, server))
			client, _ := resuming(t, version)
			for i, want := range []bool{false, true, false, true} {
				if i == 2 {
					require.NoError(t, own[0].Set(ownPair()))
				}
				resumed, err := exchange(address, client)
				require.NoError(t, err)
				assert.Equal(t, want, resumed, "connection %d", i)
			}
		})
	}
}

func TestASessionLifetimeIsNotNegative(t *testing.T) {
	_, err := pkioverheid.NewServer(pkioverheid.ServerConfig{KeyPairs: pairs(ownPair()), SessionLifetime: -1}, anybody)
	assert.ErrorContains(t, err, "SessionTicketsDisabled")
}
