package inventory_test

import (
	"crypto"
	"encoding/base64"
	"encoding/pem"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// What begins a certificate is found wherever the reading of a large text divides it.
func TestAMarkThatIsReadInTwoPartsIsFound(t *testing.T) {
	cert := string(root(pkioverheid.PrivateG1))
	for _, split := range []int{1, 5, 10} {
		text := strings.Repeat("# nothing here\n", 20000)[:256<<10-split-1] + "\n" + cert
		found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(text)}}}, "a")
		assert.Len(t, found, 1, split)
		assert.Empty(t, troubles)
	}
	// PEM in base64 begins anywhere in a group of four characters, which belongs to it.
	for before := range 3 {
		encoded := "x: " + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("#", before)+"\n"+cert)) + "\n"
		for split := range 24 {
			text := strings.Repeat("# nothing here\n", 20000)[:256<<10-split-1] + "\n" + encoded
			found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(text)}}}, "a")
			assert.Len(t, found, 1, "%d, %d", before, split)
			assert.Empty(t, troubles)
		}
	}
}

// many is a file that says that it is empty and never ends, as some do under /proc.
type many struct{ fstest.MapFS }

type manyFile struct{ fs.File }

func (m many) Open(name string) (fs.File, error) {
	f, err := m.MapFS.Open(name)
	return manyFile{f}, err
}

func (manyFile) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestAFileWithoutAnEndIsGivenUp(t *testing.T) {
	_, troubles := scanAll(t, inventory.Config{FS: many{fstest.MapFS{"a": {}}}, MaxFileSize: 1 << 20}, "a")
	assert.ErrorContains(t, troubles["a"], "larger than 1048576 bytes")
}

// slow is a file system in which opening takes time.
type slow struct {
	generated
	inside *atomic.Int64
}

func (s slow) Open(name string) (fs.File, error) {
	s.inside.Add(1)
	defer s.inside.Add(-1)
	if name != "d" {
		time.Sleep(20 * time.Millisecond)
	}
	return s.generated.Open(name)
}

func TestNothingIsReadOnceALoopIsLeft(t *testing.T) {
	der := pkioverheid.PrivateG1.Root().Raw
	fsys := slow{generated{1000, func(int) []byte { return der }}, new(atomic.Int64)}
	for range 5 {
		for range inventory.Scan(t.Context(), inventory.Config{FS: fsys, Parallel: 4}, "d") {
			break
		}
		require.Zero(t, fsys.inside.Load())
	}
}

// only the certificate of the key is a "key entry", however many there are and
// wherever the key is.
func TestAKeyInALargeBundle(t *testing.T) {
	_, withKey := planted(t)
	var bundle strings.Builder
	for _, der := range distinct(t, 300) {
		require.NoError(t, pem.Encode(&bundle, &pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	own, key := pemOf(withKey[0].Leaf), keyPEM(t, withKey[0])
	for name, text := range map[string]string{
		"key first":        key + own + bundle.String(),
		"key last":         own + bundle.String() + key,
		"certificate last": key + bundle.String() + own,
	} {
		found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte(text)}}, JudgeAhead: true}, "a")
		require.Len(t, found, 301)
		assert.Empty(t, troubles)
		for _, r := range found {
			same := withKey[0].Leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(r.Certificate.PublicKey)
			assert.Equal(t, same, r.Use == inventory.KeyEntry, name)
			assert.NotEqual(t, inventory.KeyMismatch, r.Use, name)
		}
	}
}

// A certificate does not change when the next file is read.
func TestCertificatesKeepTheirBytes(t *testing.T) {
	ders := distinct(t, 100)
	found, _ := scanAll(t, inventory.Config{FS: generated{len(ders), func(i int) []byte { return ders[i] }}, Parallel: 1}, "d")
	require.Len(t, found, len(ders))
	for i, r := range found {
		assert.Equal(t, ders[i], r.Certificate.Raw)
	}
}
