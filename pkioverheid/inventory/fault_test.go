package inventory_test

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
)

// scanAll returns the certificates found and the troubles, as text.
func scanAll(t testing.TB, cfg inventory.Config, targets ...string) (found []inventory.Result, troubles map[string]error) {
	t.Helper()
	troubles = map[string]error{}
	for r := range inventory.Scan(t.Context(), cfg, targets...) {
		if r.Err == nil {
			found = append(found, r)
			continue
		}
		assert.Nil(t, r.Certificate)
		assert.True(t, strings.HasPrefix(r.Err.Error(), "inventory: "), "%v", r.Err)
		for _, c := range r.Err.Error() {
			assert.GreaterOrEqual(t, c, ' ')
		}
		name := r.Path
		if name == "" {
			name = r.Target
		}
		troubles[filepath.Base(name)] = r.Err
	}
	return found, troubles
}

func root(h pkioverheid.Hierarchy) []byte { return []byte(pemOf(h.Root())) }

func TestAPasswordThatNobodyKnowsIsNamed(t *testing.T) {
	store, err := truststore.New(pkioverheid.PrivateG1.Root()).Encode(truststore.PKCS12, truststore.WithPassword("geheim"))
	require.NoError(t, err)
	dir := write(t, map[string][]byte{"a.p12": store})
	_, troubles := scanAll(t, inventory.Config{}, dir)
	assert.ErrorIs(t, troubles["a.p12"], truststore.ErrNoPassword)
	assert.ErrorContains(t, troubles["a.p12"], "a.p12: a key store whose password is not known: give it through Config.Passwords")
	_, troubles = scanAll(t, inventory.Config{Passwords: passwords("")}, dir)
	assert.ErrorIs(t, troubles["a.p12"], truststore.ErrNoPassword)
	_, troubles = scanAll(t, inventory.Config{Passwords: passwords("wrong", "false", "")}, dir)
	assert.ErrorIs(t, troubles["a.p12"], truststore.ErrPassword)
	assert.NotErrorIs(t, troubles["a.p12"], truststore.ErrNoPassword)
	assert.ErrorContains(t, troubles["a.p12"], "a.p12: none of the passwords tried opens this key store")
	assert.NotContains(t, troubles["a.p12"].Error(), "Config.Passwords")
	found, troubles := scanAll(t, inventory.Config{Passwords: passwords("geheim")}, dir)
	assert.Len(t, found, 1)
	assert.Empty(t, troubles)
}

// As Kubernetes lays out a mounted Secret, and as distributions do /etc/ssl/certs.
func TestFilesBehindLinksAreFoundOnce(t *testing.T) {
	dir := write(t, map[string][]byte{"mount/..2026/tls.crt": root(pkioverheid.PrivateG1), "share/ca.crt": root(pkioverheid.PrivateG4TLS)})
	certs := filepath.Join(dir, "certs")
	require.NoError(t, os.Mkdir(certs, 0o755))
	for link, to := range map[string]string{
		"mount/..data": "..2026", "mount/tls.crt": "..data/tls.crt",
		"certs/ca.pem": "../share/ca.crt", "certs/0123abcd.0": "ca.pem", "entry": "certs",
	} {
		require.NoError(t, os.Symlink(to, filepath.Join(dir, link)))
	}
	found, troubles := scanAll(t, inventory.Config{}, filepath.Join(dir, "mount"))
	assert.Len(t, found, 1)
	assert.Empty(t, troubles)
	found, troubles = scanAll(t, inventory.Config{}, certs)
	assert.Len(t, found, 1, "a file outside, through two links")
	assert.Empty(t, troubles)
	found, troubles = scanAll(t, inventory.Config{}, filepath.Join(dir, "entry"))
	assert.Len(t, found, 1, "a target that is a link")
	assert.Empty(t, troubles)
	found, troubles = scanAll(t, inventory.Config{}, dir)
	assert.Len(t, found, 2)
	assert.Empty(t, troubles)
	found, troubles = scanAll(t, inventory.Config{}, filepath.Join(dir, "mount/tls.crt"), filepath.Join(dir, "certs/0123abcd.0"))
	assert.Len(t, found, 2, "targets themselves")
	assert.Empty(t, troubles)
}

func TestFoldersAreEnteredSoFarDown(t *testing.T) {
	deep := t.TempDir()
	path := deep
	for range 260 {
		path = filepath.Join(path, "d")
	}
	require.NoError(t, os.MkdirAll(path, 0o755))
	_, troubles := scanAll(t, inventory.Config{}, deep)
	require.Len(t, troubles, 1)
	assert.ErrorContains(t, troubles["d"], "more than 256 folders down")
}

// endless is a folder that never ends.
type endless struct{ fstest.MapFS }

func (e endless) Open(name string) (fs.File, error) {
	f, err := e.MapFS.Open(name)
	if dir, ok := f.(fs.ReadDirFile); ok {
		return endlessDir{dir}, err
	}
	return f, err
}

type endlessDir struct{ fs.ReadDirFile }

func (d endlessDir) ReadDir(n int) ([]fs.DirEntry, error) {
	entry, err := fs.Stat(fstest.MapFS{"a.pem": {}}, "a.pem")
	entries := make([]fs.DirEntry, n)
	for i := range entries {
		entries[i] = fs.FileInfoToDirEntry(entry)
	}
	return entries, err
}

// waitForGoroutines fails if more than before are left.
func waitForGoroutines(t testing.TB, before int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("goroutines are left:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(time.Millisecond)
	}
}

func TestAScanEndsWhenItIsToldTo(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	require.NoError(t, err)
	defer silent.Close()
	cfg := inventory.Config{FS: endless{fstest.MapFS{"d/a.pem": {Data: root(pkioverheid.PrivateG1)}}}, Timeout: time.Hour}
	before := runtime.NumGoroutine()

	for range inventory.Scan(t.Context(), cfg, "d", silent.Addr().String()) {
		break
	}
	waitForGoroutines(t, before)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for range inventory.Scan(ctx, cfg, "d", silent.Addr().String()) {
		if n++; n == 1000 {
			cancel()
		}
	}
	assert.Equal(t, 1000, n)
	waitForGoroutines(t, before)

	for range inventory.Scan(ctx, cfg, "d", silent.Addr().String()) {
		t.Error("a result of a scan that was cancelled before")
	}
	func() {
		defer func() { assert.Equal(t, "enough", recover()) }()
		for range inventory.Scan(t.Context(), cfg, "d") {
			panic("enough")
		}
	}()
	waitForGoroutines(t, before)
}
