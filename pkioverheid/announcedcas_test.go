package pkioverheid_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// A server that runs announces what it lets in at that time, so that a client with a
// certificate under each hierarchy shows the one that is let in.
func TestAServerAnnouncesWhatItTakesAtThatTime(t *testing.T) {
	now := time.Now()
	day := now.AddDate(0, 0, 3)
	afterG1 := time.Date(2028, time.November, 20, 0, 0, 0, 0, time.UTC)
	long := pkiotest.Leaf{NotBefore: now.AddDate(0, 0, -1), NotAfter: afterG1.AddDate(1, 0, 0)}
	for _, c := range []struct {
		name       string
		refuseFrom map[pkioverheid.Hierarchy]time.Time
		at         time.Time
	}{
		{"from the date on which it refuses G1", map[pkioverheid.Hierarchy]time.Time{pkioverheid.PrivateG1: day}, day},
		{"when the CAs of G1 have ended", nil, afterG1},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := newClock(now)
			trust := clock.trust()
			trust.RefuseFrom = c.refuseFrom
			g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
			cfg := pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{g4.KeyPair(long)}}
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				claim, _ := pkioverheid.ClaimOf(r.TLS.PeerCertificates[0])
				_, _ = w.Write([]byte(claim.Hierarchy.String()))
			}))
			server.TLS = serverConfig(t, cfg, anybody)
			server.StartTLS()
			t.Cleanup(server.Close)
			url := "https://localhost" + strings.TrimPrefix(server.URL, "https://127.0.0.1")

			// The certificate under G1 would be shown first, and lasts longer than its CAs.
			own := []*pkioverheid.KeyPair{pkiotest.New(pkioverheid.PrivateG1).KeyPair(long), g4.KeyPair(long)}
			ask := func() string {
				client := newClient(t, pkioverheid.ClientConfig{Trust: clock.trust(), KeyPairs: own})
				return body(t, client, url)
			}
			for range 2 { // and when the clock is set back
				clock.set(now)
				assert.Equal(t, "Private G1", ask())
				clock.set(c.at.Add(-time.Second))
				if c.refuseFrom != nil {
					assert.Equal(t, "Private G1", ask())
				}
				clock.set(c.at)
				assert.Equal(t, "Private G4 TLS", ask())
			}
		})
	}
}
