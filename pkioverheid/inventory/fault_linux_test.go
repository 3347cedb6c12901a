package inventory_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
)

// Whatever is wrong with some files, the others are found.
func TestScanGoesOnAfterTrouble(t *testing.T) {
	g1 := root(pkioverheid.PrivateG1)
	locked, err := truststore.New(pkioverheid.PrivateG1.Root()).Encode(truststore.PKCS12, truststore.WithPassword("geheim"))
	require.NoError(t, err)
	cut := pkioverheid.PrivateG1.Root().Raw
	dir := write(t, map[string][]byte{
		"good/a.pem":         g1,
		"good/caf\xe9.pem":   g1,
		"good/esc\x1b[2J":    g1,
		"good/new\nline.crt": g1,
		"locked.p12":         locked,
		"cut.der":            cut[:len(cut)-1],
		"cut.pem":            g1[:len(g1)/2],
		"cut.jks":            []byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x05"),
		"jceks":              []byte("\xce\xce\xce\xce\x00\x00\x00\x02"),
		"one bad.pem":        append(bytes.Replace(bytes.Clone(g1), []byte("MII"), []byte("!!!"), 1), g1...),
		"cut.xml":            []byte(samlOf(pkioverheid.G3.Root())[:2000]),
		"dtd.xml":            []byte("<!DOCTYPE a>" + samlOf(pkioverheid.G3.Root())),
		"outside/x":          nil,
	})
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, syscall.Mkfifo(at("pipe"), 0o600))
	socket, err := net.Listen("unix", at("socket"))
	require.NoError(t, err)
	defer socket.Close()
	for link, to := range map[string]string{"loop": "loop", "up": ".", "good/up": "..", "dangling": "nowhere", "device": "/dev/zero", "away": os.TempDir(), "good/link.pem": "a.pem"} {
		require.NoError(t, os.Symlink(to, at(link)))
	}
	big, err := os.Create(at("huge.pem"))
	require.NoError(t, err)
	_, err = big.WriteString("# much\n")
	require.NoError(t, err)
	require.NoError(t, big.Truncate(10<<30)) // a hole
	require.NoError(t, big.Close())
	require.NoError(t, os.Truncate(at("outside/x"), 10<<30))
	want := map[string]string{
		"locked.p12":  "none of the passwords tried opens this key store",
		"cut.der":     "",
		"cut.pem":     "no END line: it is cut off",
		"cut.jks":     "damaged JKS",
		"jceks":       "damaged JKS",
		"one bad.pem": "damaged base64",
		"cut.xml":     "cut off",
		"dtd.xml":     "DTD",
		"pipe":        "which is not opened",
		"socket":      "which is not opened",
		"device":      "which is not opened",
		"loop":        "leads nowhere: stat: too many levels of symbolic links",
		"dangling":    "leads nowhere: stat: no such file",
		"away":        "a symbolic link to a folder outside",
		"huge.pem":    "larger than 67108864 bytes",
		"x":           "larger than 67108864 bytes",
	}
	passedOver := []string{"pipe", "socket", "device", "loop", "dangling", "huge.pem", "x"}
	if os.Getuid() != 0 {
		require.NoError(t, os.WriteFile(at("secret.pem"), g1, 0))
		require.NoError(t, os.Mkdir(at("shut"), 0))
		want["secret.pem"], want["shut"] = "permission denied", "permission denied"
	}
	found, troubles := scanAll(t, inventory.Config{Passwords: passwords("one", "", "two")}, dir, filepath.Join(dir, "not there"))
	want["not there"] = "no such file"
	for name, text := range want {
		if assert.Error(t, troubles[name], name) {
			assert.Contains(t, troubles[name].Error(), text)
			assert.Contains(t, troubles[name].Error(), name)
			assert.Equal(t, slices.Contains(passedOver, name), errors.Is(troubles[name], inventory.ErrSkipped), name)
		}
		delete(troubles, name)
	}
	assert.Empty(t, troubles)
	assert.Len(t, found, 6) // four in good, once each, the second one of "one bad.pem", and that of dtd.xml
	for _, r := range found {
		assert.NotContains(t, r.String(), "\x1b")
		assert.NotContains(t, r.String(), "\n")
		if base := filepath.Base(r.Path); base == "caf\xe9.pem" {
			assert.Contains(t, r.String(), `caf\xe9.pem`)
		}
		_, err := os.Stat(r.Path)
		assert.NoError(t, err, "the path is not the one to open")
	}
}

// ErrSkipped says what probably holds nothing from what should be looked into.
func TestSkippedIsLittleTrouble(t *testing.T) {
	dir := write(t, map[string][]byte{"text.pem": root(pkioverheid.PrivateG1), "binary": make([]byte, 2000)})
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	require.NoError(t, os.Symlink(t.TempDir(), filepath.Join(dir, "away")))
	_, troubles := scanAll(t, inventory.Config{MaxFileSize: 1000}, dir)
	require.Len(t, troubles, 5)
	for name, skipped := range map[string]bool{"text.pem": false, "binary": true, "pipe": true, "dangling": true, "away": false} {
		assert.Equal(t, skipped, errors.Is(troubles[name], inventory.ErrSkipped), name)
	}
	_, troubles = scanAll(t, inventory.Config{}, filepath.Join(dir, "dangling"))
	assert.ErrorIs(t, troubles["dangling"], fs.ErrNotExist)
}

func TestResultsAreJSON(t *testing.T) {
	dir := write(t, map[string][]byte{"caf\xe9.pem": root(pkioverheid.PrivateG1)})
	found, _ := scanAll(t, inventory.Config{Time: now}, dir)
	require.Len(t, found, 1)
	data, err := json.Marshal(found[0])
	require.NoError(t, err)
	require.True(t, json.Valid(data))
	var got struct {
		Path, Place, Format, Use, Fingerprint, Subject, State string
		PathBytes                                             []byte
		NotAfter                                              time.Time
		Identity                                              struct{ Hierarchy, Role, By string }
		Advice                                                advice.Advice
	}
	require.NoError(t, json.Unmarshal(data, &got))
	assert.Equal(t, dir+`/caf\xe9.pem`, got.Path)
	assert.Equal(t, dir+"/caf\xe9.pem", string(got.PathBytes))
	assert.Equal(t, "line 1", got.Place)
	assert.Equal(t, "PEM", got.Format)
	assert.Equal(t, "unknown", got.Use)
	assert.Equal(t, truststore.FingerprintOf(found[0].Certificate).String(), got.Fingerprint)
	assert.Contains(t, got.Subject, "CN=Staat der Nederlanden Private Root CA - G1")
	assert.Equal(t, "trusted", got.State)
	assert.Equal(t, "private-g1 root key", fmt.Sprint(got.Identity.Hierarchy, " ", got.Identity.Role, " ", got.Identity.By))
	assert.Equal(t, advice.Ending, got.Advice.Status)
	assert.Equal(t, pkioverheid.PrivateG1.Root().NotAfter, got.NotAfter)

	for r := range inventory.Scan(t.Context(), inventory.Config{}, "not there\x00") {
		data, err := json.Marshal(r)
		require.NoError(t, err)
		assert.Contains(t, string(data), `"state":"error","error":"inventory: not there`)
	}
	data, err = json.Marshal(inventory.Result{})
	require.NoError(t, err)
	assert.JSONEq(t, `{"target":"","state":"error"}`, string(data))
}
