package crl

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a look at the folder reads, which from outside can be seen only by how long
// it takes.
func TestFolderReadsOnlyWhatChanged(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	issuer := &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: []byte{1}}
	list := func(number int64) []byte {
		der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(number), ThisUpdate: time.Unix(1e9, 0), NextUpdate: time.Unix(2e9, 0),
		}, issuer, key)
		require.NoError(t, err)
		return der
	}
	dir := t.TempDir()
	path := dir + "/a.crl"
	write := func(data []byte, at time.Time) {
		require.NoError(t, os.WriteFile(path, data, 0o644)) // in place: the same file
		require.NoError(t, os.Chtimes(path, at, at))
	}
	number := func(c *folderContents) string {
		require.Len(t, c.files, 1)
		require.NoError(t, c.files[0].err)
		require.Len(t, c.files[0].lists, 1)
		return c.files[0].lists[0].Number.String()
	}
	first, second := list(1), list(2)
	for len(first) != len(second) { // ECDSA signatures vary
		second = list(2)
	}
	d := folder{path: dir, maxBytes: 1 << 20}

	recent := time.Now()
	write(first, recent)
	seen := d.read(nil)
	seen.index()
	require.Equal(t, "1", number(seen))
	assert.Same(t, seen, d.read(seen), "nothing has changed")
	write(second, recent)
	assert.Equal(t, "2", number(d.read(seen)), "changed within the same tick of the clock")

	old := recent.Add(-time.Hour)
	write(first, old)
	seen = d.read(nil)
	seen.index()
	write(second, old)
	assert.Same(t, seen, d.read(seen), "a settled file is not read again while it looks the same")
	write(second, old.Add(time.Second))
	assert.Equal(t, "2", number(d.read(seen)))

	// Touched only: the lists stay, and with them what is known of their issuers.
	write(first, old)
	seen = d.read(nil)
	seen.index()
	write(first, old.Add(time.Minute))
	assert.Same(t, seen, d.read(seen))
	write(second, old.Add(time.Minute))
	assert.Same(t, seen, d.read(seen), "and the file is as settled as before")
}

func TestFolderReadsWhatDidNotFitWhenThereIsRoom(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	issuer := &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: []byte{1}}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Unix(1e9, 0), NextUpdate: time.Unix(2e9, 0),
	}, issuer, key)
	require.NoError(t, err)
	dir := t.TempDir()
	old := time.Now().Add(-time.Hour)
	for i := range memoryFactor + 1 {
		path := fmt.Sprintf("%s/%02d.crl", dir, i)
		require.NoError(t, os.WriteFile(path, list, 0o644))
		require.NoError(t, os.Chtimes(path, old, old))
	}
	d := folder{path: dir, maxBytes: int64(len(list))}
	seen := d.read(nil)
	seen.index()
	last := func(c *folderContents) *folderFile { return c.files[len(c.files)-1] }
	require.ErrorContains(t, last(seen).err, "more than the 0 bytes that are left")
	assert.Same(t, seen, d.read(seen), "nothing has changed")

	require.NoError(t, os.Remove(dir+"/00.crl"))
	seen = d.read(seen)
	require.NoError(t, last(seen).err)
	assert.Len(t, last(seen).lists, 1)
}
