package pkioverheid_test

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// A client that was made later with another logger takes no line from the others.
func TestEachLoggerGetsTheDeadlineOfAnIdleProgram(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	start := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	pair := g1.Issue(pkiotest.Leaf{OIN: someOIN, NotBefore: start.AddDate(0, 0, -2), NotAfter: start.AddDate(0, 0, 80)})
	clock := newClock(start)
	byDefault, others := lines()
	before := slog.Default()
	slog.SetDefault(byDefault)
	t.Cleanup(func() { slog.SetDefault(before) })
	f := folder(t.TempDir())
	f.pair(t, "own", pair)
	var looks atomic.Int64
	own, err := pkioverheid.WatchKeyPair(t.Context(), pkioverheid.KeyPairFiles{Cert: f.path("own.pem"), Key: f.path("own.key"), Time: clock.now},
		truststore.WithInterval(10*time.Millisecond), truststore.OnLook(func(time.Time) { looks.Add(1) }))
	require.NoError(t, err)
	looked := func() {
		from := looks.Load()
		require.Eventually(t, func() bool {
			clock.set(clock.now().Add(time.Second))
			return looks.Load() > from+2
		}, 20*time.Second, time.Millisecond)
	}
	trust := clock.trust()
	var logged *record
	trust.Logger, logged = lines()
	_ = newServer(t, pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{own}}, anybody)
	probe := trust
	probe.Logger = slog.New(slog.DiscardHandler) // a short-lived probe, made last
	_ = newClient(t, pkioverheid.ClientConfig{Trust: probe, KeyPairs: []*pkioverheid.KeyPair{own}})
	n := strings.Count(logged.String()+others.String(), "its deadline is near")
	for day := 1; day < 4; day++ {
		clock.set(start.AddDate(0, 0, day))
		looked()
	}
	assert.Equal(t, n+3, strings.Count(logged.String()+others.String(), "its deadline is near"), "a line a day in an idle program")
}
