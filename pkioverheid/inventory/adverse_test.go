package inventory_test

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// replaced is a file that is another one each time that it is opened.
type replaced struct {
	contents [][]byte
	opened   *atomic.Int64
}

func (r replaced) Open(name string) (fs.File, error) {
	if name == "." {
		return nil, fs.ErrInvalid
	}
	i := min(int(r.opened.Add(1))-1, len(r.contents)-1)
	return fstest.MapFS{name: {Data: r.contents[i]}}.Open(name)
}

// A large file is opened twice. In between it can be emptied, or be replaced.
func TestAFileThatChangesWhileItIsRead(t *testing.T) {
	cert := string(root(pkioverheid.PrivateG1))
	long := []byte(cert + strings.Repeat("# and nothing more\n", 20000))
	utf16 := utf16Of(string(long))
	for name, c := range map[string]struct {
		first, second []byte
		found         int
	}{
		"emptied":                 {long, nil, 0},
		"only spaces are left":    {long, []byte(" \n"), 0},
		"UTF-16 that is emptied":  {utf16, nil, 0},
		"UTF-16 cut to a byte":    {utf16, []byte("\xff"), 0},
		"another text":            {long, []byte("nothing"), 0},
		"DER in place of text":    {long, pkioverheid.PrivateG1.Root().Raw, 1},
		"text in place of UTF-16": {utf16, []byte(cert), 1},
	} {
		t.Run(name, func(t *testing.T) {
			// fs.Stat opens it too.
			fsys := replaced{[][]byte{c.first, c.first, c.first, c.second}, new(atomic.Int64)}
			found, troubles := scanAll(t, inventory.Config{FS: fsys}, "a")
			assert.Len(t, found, c.found)
			assert.Empty(t, troubles)
			assert.EqualValues(t, 4, fsys.opened.Load(), "how often it is opened: adapt the test")
		})
	}
}

// What is told of a CPA elsewhere than around a certificate is read within limits,
// too: of the attributes of a tag, encoding/xml makes many times their size.
func TestACPAWithATagOfManyMegabytes(t *testing.T) {
	cpa := cpaOf(pkioverheid.PrivateG1.Root())
	cpa = strings.Replace(cpa, "</tp:PartyInfo>", "<tp:x "+strings.Repeat(`a="" `, 4<<20)+"/></tp:PartyInfo>", 1)
	fsys := fstest.MapFS{"a": {Data: []byte(cpa)}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	found, troubles := scanAll(t, inventory.Config{FS: fsys}, "a")
	runtime.ReadMemStats(&after)
	require.Len(t, found, 1)
	assert.Equal(t, inventory.CPAParty, found[0].Use)
	assert.ErrorContains(t, troubles["a"], "a tag of more than")
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(200<<20))
}

func TestCertificatesThatAreCutOffAreTold(t *testing.T) {
	text := []byte(base64.StdEncoding.EncodeToString(pkioverheid.PrivateG1.Root().Raw))
	for name, data := range map[string][]byte{
		"base64":                             text[:400],
		"base64 in lines":                    bytes.ReplaceAll(text[:400], []byte("A"), []byte("A\r\n")),
		"base64 of which half a group":       text[:401],
		"base64 behind a byte order mark":    append([]byte("\ufeff"), text[:400]...),
		"base64 with something else between": append(append(bytes.Clone(text), strings.Repeat(" ", 4096)...), "\x01"...),
	} {
		t.Run(name, func(t *testing.T) {
			found, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: data}}}, "a")
			assert.Empty(t, found)
			assert.Error(t, troubles["a"])
		})
	}
	_, troubles := scanAll(t, inventory.Config{FS: fstest.MapFS{"a": {Data: []byte("MICE are no certificates")}, "b": {Data: []byte("MIIB")}}}, ".")
	assert.Empty(t, troubles)
}
