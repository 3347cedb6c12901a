package crl_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
)

// put writes a file as programs do that know how: whole or not at all.
func put(t *testing.T, path string, data ...[]byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", bytes.Join(data, nil), 0o644))
	require.NoError(t, os.Rename(path+".new", path))
}

func asPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

func inFolder(dir string) func(*crl.Config) {
	return func(cfg *crl.Config) { cfg.Folder = dir }
}

func numbered(n int64) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) { l.Number.SetInt64(n) }
}

func TestFolderForSystemsWithoutAWayOut(t *testing.T) {
	l := newLayers("http://crl.example")
	dir := t.TempDir()
	note := []byte("Certificate Revocation List (CRL):\n    Version 2\n")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.root.Raw})
	put(t, dir+"/root.crl", l.root.list())
	put(t, dir+"/others.CRL", note, asPEM(l.domain.list()), cert, asPEM(l.issuing.list(revoking(revoked(44, hourAgo, crl.Superseded)))))
	put(t, dir+"/.hidden.crl", []byte("not looked at"))
	put(t, dir+"/readme.txt", []byte("not looked at"))
	require.NoError(t, os.Mkdir(dir+"/folder.crl", 0o755))
	c := newChecker(t, nil, inFolder(dir))
	assert.NoError(t, c.Policy(l.chain(), now))
	refusedAs(t, chain.Revoked, "", c.Policy(l.chainOf(l.leafWith(44)), now))

	all := c.Status()
	require.Len(t, all, 3)
	for _, st := range all {
		assert.NoError(t, st.Err)
		assert.Empty(t, st.URL)
		assert.Zero(t, st.NextRefresh)
		if strings.Contains(st.Issuer, "Issuing") {
			assert.Equal(t, 1, st.Entries)
			assert.Equal(t, dir+"/others.CRL", st.File)
		}
	}
	assert.NoError(t, c.Prefetch(t.Context(), l.chain()), "nothing to fetch and nothing missing")
}

func TestFolderAndServersTogether(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	dir := t.TempDir()
	put(t, dir+"/old.crl", l.issuing.list(numbered(6), between(now.Add(-2*time.Hour), now.Add(time.Hour)), revoking(revoked(serialLeaf, hourAgo, crl.CertificateHold))))
	c := newChecker(t, s, inFolder(dir))
	refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), now))
	assert.Zero(t, s.visited("/issuing.crl"), "a current list is available")
	require.NoError(t, c.Prefetch(t.Context(), l.chain()))
	assert.NoError(t, c.Policy(l.chain(), now), "the newest list decides, and there it is not on hold any more")
}

// A serial number is one certificate's, whatever list it is on: here one for
// some reasons only, and one for CAs.
func TestOnAListForOthersIsRevokedAllTheSame(t *testing.T) {
	l := newLayers("http://crl.example")
	for name, scope := range map[string][]byte{
		"for key compromise only": {0x30, 4, 0x83, 2, 6, 0x40},
		"for CAs only":            {0x30, 3, 0x82, 1, 0xff},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir+"/root.crl", l.root.list())
			put(t, dir+"/domain.crl", l.domain.list())
			put(t, dir+"/complete.crl", l.issuing.list())
			put(t, dir+"/scoped.crl", l.issuing.list(numbered(8), extended(28, true, scope), revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise))))
			c := newChecker(t, nil, inFolder(dir))
			refusedAs(t, chain.Revoked, "", c.Policy(l.chain(), now))
			assert.NoError(t, c.Policy(l.chainOf(l.leafWith(99)), now))
		})
	}
}

func TestFolderHasWhatIsMissing(t *testing.T) {
	l := newLayers("http://crl.example")
	for name, test := range map[string]struct {
		files map[string][]byte
		text  string
	}{
		"nothing":                     {nil, `there is none in the folder by "Issuing CA", but 2 by "Domain CA", "Root"; no host is allowed to be asked`},
		"a list that ended":           {map[string][]byte{"issuing.crl": l.issuing.list(between(now.Add(-48*time.Hour), now.Add(-time.Hour)))}, "ended at 2026-11-23 11:00:00Z"},
		"one from the future":         {map[string][]byte{"issuing.crl": l.issuing.list(between(now.Add(time.Hour), now.Add(48*time.Hour)))}, "is the clock right?"},
		"one for CAs only":            {map[string][]byte{"issuing.crl": l.issuing.list(extended(28, true, []byte{0x30, 3, 0x82, 1, 0xff}))}, "for CA certificates only"},
		"one of a CA of the name":     {map[string][]byte{"issuing.crl": newAuthority("Issuing CA", ecdsaKeyOf("stranger")).list()}, "issuing.crl has the name of the issuer, but crl: the list of \"Issuing CA\" is by another key of that CA"},
		"another key, unnamed":        {map[string][]byte{"issuing.crl": newAuthority("Issuing CA", ecdsaKeyOf("stranger"), func(c *x509.Certificate) { c.SubjectKeyId = l.issuing.SubjectKeyId }).list()}, "issuing.crl has the name of the issuer, but crl: the signature of the list"},
		"an unknown extension":        {map[string][]byte{"issuing.crl": l.issuing.list(extended(99, true, []byte{5, 0}))}, "issuing.crl cannot be used as it is: crl: the list has the critical extension \"2.5.29.99\""},
		"no number":                   {map[string][]byte{"issuing.crl": l.issuing.unnumbered()}, "has no CRL number"},
		"one that was cut off":        {map[string][]byte{"issuing.crl": l.issuing.list()[:100]}, "issuing.crl cannot be used as it is: crl: the 100 bytes are not a whole SEQUENCE"},
		"one for another address":     {map[string][]byte{"issuing.crl": l.issuing.list(onlyFor("http://crl.example/another.crl"))}, "another distribution point"},
		"half a PEM block at its end": {map[string][]byte{"issuing.crl": append(asPEM(l.domain.list()), asPEM(l.issuing.list())[:300]...)}, "issuing.crl cannot be used as it is: of 2 PEM blocks only 1 are whole"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir+"/root.crl", l.root.list())
			put(t, dir+"/domain.crl", l.domain.list())
			for file, data := range test.files {
				put(t, filepath.Join(dir, file), data)
			}
			c := newChecker(t, nil, inFolder(dir), func(cfg *crl.Config) { cfg.SoftFail = func(error) {} })
			err := c.Policy(l.chain(), now)
			refusedAs(t, chain.RevocationUnknown, test.text, err)
			if test.files != nil {
				assert.NotContains(t, err.Error(), "there is none in the folder")
			}
			damaged := strings.Contains(test.text, "cannot be used") || name == "no number"
			assert.Equal(t, damaged, statusOf(c, "/issuing.crl").Err != nil)
		})
	}
}

// log keeps what was logged.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *log) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// In a bubble, in which ten seconds pass at once.
func TestFolderIsReadAgainWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	l := newLayers("http://crl.example")
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var lines log
		file := dir + "/issuing.crl"
		put(t, dir+"/root.crl", l.root.list())
		put(t, dir+"/domain.crl", l.domain.list())
		put(t, file, l.issuing.list())
		c := newChecker(t, nil, inFolder(dir), func(cfg *crl.Config) {
			cfg.Time = func() time.Time { return now.Add(time.Since(begin)) }
			cfg.Logger = lines.logger()
		})
		look := func() {
			time.Sleep(11 * time.Second)
			synctest.Wait()
		}
		check := func() error { return c.Policy(l.chain(), time.Time{}) }
		other := func() error { return c.Policy(l.chainOf(l.leafWith(99)), time.Time{}) }
		require.NoError(t, check())

		// Of the same size and within the same tick of the clock.
		newer := l.issuing.list(numbered(8), revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise)))
		put(t, file, newer)
		look()
		refusedAs(t, chain.Revoked, "", check())
		require.NoError(t, other())

		require.NoError(t, os.WriteFile(file, newer[:80], 0o644))
		look()
		refusedAs(t, chain.Revoked, "", check())
		require.NoError(t, other(), "the list from before is in use until the file is whole")
		assert.ErrorContains(t, statusOf(c, "/issuing.crl").Err, "damaged")
		assert.Equal(t, 1, strings.Count(lines.String(), "cannot be used as it is"))
		look()
		assert.Equal(t, 1, strings.Count(lines.String(), "cannot be used as it is"), "said once")

		put(t, file, newer)
		look()
		assert.NoError(t, statusOf(c, "/issuing.crl").Err)
		assert.Contains(t, lines.String(), "can be used again")

		put(t, file, l.issuing.list())
		look()
		refusedAs(t, chain.Revoked, "", check())
		require.NoError(t, other(), "an older list does not replace it")

		require.NoError(t, os.Remove(file))
		look()
		refusedAs(t, chain.Revoked, "", check())
		require.NoError(t, other(), "nor does none")
		assert.ErrorContains(t, statusOf(c, "/issuing.crl").Err, "no longer in the folder")

		require.NoError(t, os.Rename(dir, dir+"-away"))
		look()
		refusedAs(t, chain.Revoked, "", check())
		require.NoError(t, other(), "the folder itself is gone")
		assert.Error(t, statusOf(c, dir).Err)
		require.NoError(t, os.Rename(dir+"-away", dir))
		look()
		assert.NoError(t, statusOf(c, dir).Err)

		put(t, file, l.issuing.list(numbered(9), between(now.Add(time.Second), now.Add(48*time.Hour))))
		look()
		require.NoError(t, check(), "a newer one does")
		require.NoError(t, statusOf(c, "/issuing.crl").Err)
		require.Len(t, c.Status(), 3)

		// A list that has ended is not kept on.
		time.Sleep(25 * time.Hour)
		refusedAs(t, chain.RevocationUnknown, "ended", check())
		require.NoError(t, os.Remove(dir+"/root.crl"))
		look()
		require.Len(t, c.Status(), 2)

		// Nor is one of which nobody knows that it is its issuer's.
		put(t, dir+"/stranger.crl", newAuthority("Issuing CA", ecdsaKeyOf("stranger")).list(between(now, now.AddDate(1, 0, 0))))
		look()
		require.Len(t, c.Status(), 3)
		require.Error(t, check())
		require.NoError(t, os.Remove(dir+"/stranger.crl"))
		look()
		require.Len(t, c.Status(), 2)
		require.NoError(t, c.Close())
	})
}

func TestFolderHasBounds(t *testing.T) {
	l := newLayers("http://crl.example")
	dir := t.TempDir()
	put(t, dir+"/root.crl", l.root.list())
	put(t, dir+"/domain.crl", l.domain.list())
	put(t, dir+"/issuing.crl", l.issuing.list())
	require.NoError(t, os.Truncate(dir+"/issuing.crl", 1<<40))
	c := newChecker(t, nil, inFolder(dir))
	refusedAs(t, chain.RevocationUnknown, "issuing.crl cannot be used as it is: it has more than the", c.Policy(l.chain(), now))
	assert.ErrorContains(t, statusOf(c, "/issuing.crl").Err, "more than the 33554432 bytes")
}

func TestVerifyingInThePast(t *testing.T) {
	year := func(n int) time.Time { return now.AddDate(n, 0, 0) }
	l := newLayers("http://crl.example")
	valid := func(from, until time.Time) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, until }
	}
	var (
		alive   = l.leafWith(1)                                  // for another year
		expired = l.leafWith(2, valid(year(-3), year(-1)))       // a year ago
		current = between(hourAgo, now.Add(24*time.Hour))        // made an hour ago
		then    = between(year(-2), year(-2).Add(24*time.Hour))  // made when both were valid
		later   = between(year(-1).Add(-24*time.Hour), year(-1)) // the last one with expired on it
	)
	on := func(serial int64, at time.Time, reason crl.Reason) func(*x509.RevocationList) {
		return revoking(revoked(serial, at, reason))
	}
	at := year(-2).Add(time.Hour)
	for name, test := range map[string]struct {
		cert   *x509.Certificate
		at     time.Time
		lists  [][]byte
		reason chain.Reason
		text   string
	}{
		"alive and on no list, by the current list":             {alive, at, [][]byte{l.issuing.list(current)}, "", ""},
		"alive, revoked before, by the current list":            {alive, at, [][]byte{l.issuing.list(current, on(1, at.Add(-time.Hour), crl.KeyCompromise))}, chain.Revoked, "was revoked on"},
		"alive, revoked in that very second":                    {alive, at, [][]byte{l.issuing.list(current, on(1, at, crl.KeyCompromise))}, chain.Revoked, "was revoked on"},
		"alive, revoked after, by the current list":             {alive, at, [][]byte{l.issuing.list(current, on(1, at.Add(time.Hour), crl.KeyCompromise))}, "", ""},
		"alive, by a list that has ended since, made later":     {alive, at, [][]byte{l.issuing.list(later)}, "", ""},
		"expired and on no list, by the current list":           {expired, at, [][]byte{l.issuing.list(current)}, chain.RevocationUnknown, "only an older one (in the folder) says"},
		"expired, still on the current list, revoked before":    {expired, at, [][]byte{l.issuing.list(current, on(2, at.Add(-time.Hour), crl.KeyCompromise))}, chain.Revoked, "was revoked on"},
		"expired, still on the current list, revoked after":     {expired, at, [][]byte{l.issuing.list(current, on(2, at.Add(time.Hour), crl.KeyCompromise))}, "", ""},
		"expired, by the list of that time":                     {expired, at, [][]byte{l.issuing.list(current), l.issuing.list(then)}, "", ""},
		"expired, revoked before, by the list of that time":     {expired, at, [][]byte{l.issuing.list(current), l.issuing.list(then, on(2, at.Add(-2*time.Hour), crl.KeyCompromise))}, chain.Revoked, "was revoked on"},
		"expired, revoked before, known from a later list only": {expired, at, [][]byte{l.issuing.list(then), l.issuing.list(later, on(2, at.Add(-time.Minute), crl.KeyCompromise))}, chain.Revoked, "was revoked on"},
		"expired, revoked after, by a later list":               {expired, at, [][]byte{l.issuing.list(later, on(2, at.Add(time.Minute), crl.KeyCompromise))}, "", ""},
		"expired, only a list that ended before that time":      {expired, year(-2).Add(48 * time.Hour), [][]byte{l.issuing.list(then)}, chain.RevocationUnknown, "ended at 2024-11-24"},
		"on hold at that time, and released since":              {alive, at, [][]byte{l.issuing.list(current), l.issuing.list(then, on(1, year(-2), crl.CertificateHold))}, chain.Revoked, "was revoked on"},
		"on the list of that time, with a date to come":         {alive, at, [][]byte{l.issuing.list(then, on(1, at.Add(time.Hour), crl.Superseded))}, chain.Revoked, "was revoked on"},
		"only a list of a CA of the name":                       {alive, at, [][]byte{newAuthority("Issuing CA", ecdsaKeyOf("stranger")).list(current)}, chain.RevocationUnknown, "a.crl has the name of the issuer, but crl: the list of \"Issuing CA\" is by another key"},
		"not revoked, but for a CA of the name":                 {alive, at, [][]byte{newAuthority("Issuing CA", ecdsaKeyOf("stranger")).list(current, on(1, year(-3), crl.KeyCompromise)), l.issuing.list(current)}, "", ""},
		"on a list that is for other certificates":              {alive, at, [][]byte{l.issuing.list(current), l.issuing.list(current, extended(28, true, []byte{0x30, 3, 0x82, 1, 0xff}), on(1, year(-3), crl.KeyCompromise))}, chain.Revoked, "was revoked on"},
		"no list at all": {alive, at, nil, chain.RevocationUnknown, "none in the folder"},
		"now, of a certificate that was revoked only after a list": {alive, now, [][]byte{l.issuing.list(current), l.issuing.list(then, on(1, at, crl.CertificateHold))}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir+"/domain.crl", l.domain.list(current))
			put(t, dir+"/root.crl", l.root.list(current))
			for i, list := range test.lists {
				put(t, filepath.Join(dir, string(rune('a'+i))+".crl"), list)
			}
			err := newChecker(t, nil, inFolder(dir)).Policy(l.chainOf(test.cert), test.at)
			if test.reason == "" {
				assert.NoError(t, err)
				return
			}
			refusedAs(t, test.reason, test.text, err)
		})
	}
}

// A folder of ten thousand files takes a while to look at, and connections wake the
// Checker as often as they like.
func TestConnectionsDoNotHaveTheFolderLookedAt(t *testing.T) {
	dir := t.TempDir()
	inBubble(t, func(t *testing.T, w *wire, l layers, c *crl.Checker) {
		put(t, dir+"/new.crl", l.issuing.list())
		require.NoError(t, c.Policy(l.chain(), w.now()))
		synctest.Wait()
		assert.Empty(t, statusOf(c, "/new.crl"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.NotEmpty(t, statusOf(c, "/new.crl"))
	}, func(cfg *crl.Config) { cfg.Folder = dir })
}
