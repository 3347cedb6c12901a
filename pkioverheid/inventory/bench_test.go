package inventory_test

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"io"
	"io/fs"
	"math/big"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// generated is a folder "d" of n files that are made when they are read, so that
// there can be any number of them and none takes memory.
type generated struct {
	n       int
	content func(i int) []byte
}

type generatedFile struct {
	bytes.Reader
	name string
	size int
}

func (g generated) Open(name string) (fs.File, error) {
	if name == "d" {
		return &generatedDir{generated: g}, nil
	}
	i, err := strconv.Atoi(strings.TrimPrefix(name, "d/"))
	if err != nil || i >= g.n {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	data := g.content(i)
	f := &generatedFile{name: name, size: len(data)}
	f.Reset(data)
	return f, nil
}

func (f *generatedFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *generatedFile) Close() error               { return nil }
func (f *generatedFile) Name() string               { return f.name }
func (f *generatedFile) Size() int64                { return int64(f.size) }
func (f *generatedFile) Mode() fs.FileMode          { return 0o600 }
func (f *generatedFile) Type() fs.FileMode          { return 0 }
func (f *generatedFile) ModTime() time.Time         { return time.Time{} }
func (f *generatedFile) IsDir() bool                { return false }
func (f *generatedFile) Sys() any                   { return nil }
func (f *generatedFile) Info() (fs.FileInfo, error) { return f, nil }

type generatedDir struct {
	generatedFile
	generated
	next int
}

func (d *generatedDir) Mode() fs.FileMode          { return fs.ModeDir | 0o700 }
func (d *generatedDir) IsDir() bool                { return true }
func (d *generatedDir) Stat() (fs.FileInfo, error) { return d, nil }

func (d *generatedDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if d.next == d.n {
		return nil, io.EOF
	}
	var entries []fs.DirEntry
	for ; d.next < d.n && len(entries) < n; d.next++ {
		entries = append(entries, &generatedFile{name: strconv.Itoa(d.next)})
	}
	return entries, nil
}

// distinct returns n certificates that differ in their serial numbers and signatures,
// from the real CAs and leaves below them. The signatures are not good any more.
func distinct(t testing.TB, n int) [][]byte {
	t.Helper()
	all, _ := planted(t)
	models := slices.DeleteFunc(all, func(c *x509.Certificate) bool { return len(c.SerialNumber.Bytes()) < 8 })
	ders := make([][]byte, n)
	for i := range ders {
		model := models[i%len(models)]
		der := bytes.Clone(model.Raw)
		serial := model.SerialNumber.Bytes()
		at := bytes.Index(der, serial)
		require.Positive(t, at)
		binary.BigEndian.PutUint32(der[at+1:], uint32(i)) // the first byte stays, and with it the sign
		binary.BigEndian.PutUint32(der[len(der)-4:], uint32(i))
		ders[i] = der
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		require.Zero(t, cert.SerialNumber.Cmp(new(big.Int).SetBytes(der[at:at+len(serial)])))
	}
	return ders
}

// fastest returns the shortest of the times that f takes.
func fastest(best *time.Duration, f func()) {
	begin := time.Now()
	f()
	if d := time.Since(begin); *best == 0 || d < *best {
		*best = d
	}
}

// How many certificates a scan reads in the time in which crypto/x509 parses one,
// on one core, and how many times that on two.
func BenchmarkScanFromMemory(b *testing.B) {
	ders := distinct(b, 6200)
	const together = 31
	var pems [][]byte
	for i := 0; i < len(ders); i += together {
		var text bytes.Buffer
		for _, der := range ders[i : i+together] {
			require.NoError(b, pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der}))
		}
		pems = append(pems, text.Bytes())
	}
	for name, fsys := range map[string]fs.FS{
		"DER": generated{len(ders), func(i int) []byte { return ders[i] }},
		"PEM": generated{len(pems), func(i int) []byte { return pems[i] }},
	} {
		b.Run(name, func(b *testing.B) {
			var parse, parseTwo, decode, one, two time.Duration
			scan := func() {
				n := 0
				for r := range inventory.Scan(b.Context(), inventory.Config{FS: fsys}, "d") {
					require.NoError(b, r.Err)
					n++
				}
				require.Equal(b, len(ders), n)
			}
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			for b.Loop() {
				runtime.GOMAXPROCS(1)
				fastest(&parse, func() {
					for _, der := range ders {
						_, err := x509.ParseCertificate(der)
						require.NoError(b, err)
					}
				})
				fastest(&decode, func() {
					for _, text := range pems {
						for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
							_, err := x509.ParseCertificate(block.Bytes)
							require.NoError(b, err)
						}
					}
				})
				fastest(&one, scan)
				runtime.GOMAXPROCS(2)
				fastest(&two, scan)
				fastest(&parseTwo, func() {
					var wg sync.WaitGroup
					for half := range 2 {
						wg.Go(func() {
							for i := half; i < len(ders); i += 2 {
								if _, err := x509.ParseCertificate(ders[i]); err != nil {
									b.Error(err)
								}
							}
						})
					}
					wg.Wait()
				})
			}
			b.ReportMetric(float64(parse)/float64(one), "speed/x509-on-one-core")
			if name == "PEM" {
				b.ReportMetric(float64(decode)/float64(one), "speed/encoding/pem-and-x509-on-one-core")
			}
			b.ReportMetric(float64(one)/float64(two), "speed/on-two-cores")
			b.ReportMetric(float64(parse)/float64(parseTwo), "speed/x509-itself-on-two-cores") // what the machine has to give
			b.ReportMetric(float64(one.Microseconds())/float64(len(ders)), "µs/certificate")
		})
	}
}

// One in so many files is a certificate.
const each = 10

// files is a folder of n small files.
func files(n int) fs.FS {
	text, cert := []byte("# nothing\n"), pkioverheid.PrivateG1.Root().Raw
	return generated{n, func(i int) []byte {
		if i%each == 0 {
			return cert
		}
		return text
	}}
}

// liveOfScan is the memory that is in use at most while the certificates of a folder
// are found, in bytes, looked at a hundred times.
func liveOfScan(t testing.TB, n int) uint64 {
	var most uint64
	found := 0
	for r := range inventory.Scan(t.Context(), inventory.Config{FS: files(n)}, "d") {
		require.NoError(t, r.Err)
		if found++; found%max(1, n/each/100) != 0 {
			continue
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
	}
	require.Equal(t, n/each, found)
	return most
}

// The memory of a scan of a thousand files and of a million.
func BenchmarkScanMemory(b *testing.B) {
	for b.Loop() {
		few, many := liveOfScan(b, 1000), liveOfScan(b, 1000000)
		b.ReportMetric(float64(few)/1024, "KiB/1000-files")
		b.ReportMetric(float64(many)/1024, "KiB/1000000-files")
		b.ReportMetric(float64(many)/float64(few), "memory/1000-files")
	}
}

func TestMemoryDoesNotGrowWithTheFiles(t *testing.T) {
	few, many := liveOfScan(t, 1000), liveOfScan(t, 100000)
	t.Log(few/1024, "KiB and", many/1024, "KiB")
	require.Less(t, many, few+2<<20)
}

// timeToFirst is how long it takes until the first result is there.
func timeToFirst(t testing.TB, n int) time.Duration {
	begin := time.Now()
	for r := range inventory.Scan(t.Context(), inventory.Config{FS: files(n)}, "d") {
		require.NoError(t, r.Err)
		return time.Since(begin)
	}
	t.Fatal("nothing was found")
	return 0
}

// The time to the first result in a folder of a million files, beside that in one of
// ten.
func BenchmarkFirstResult(b *testing.B) {
	var few, many time.Duration
	for b.Loop() {
		fastest(&few, func() { timeToFirst(b, 10) })
		fastest(&many, func() { timeToFirst(b, 1000000) })
	}
	b.ReportMetric(float64(many)/float64(few), "time/ten-files")
	b.ReportMetric(float64(many.Microseconds())/1000, "ms")
}

func TestTheFirstResultComesSoon(t *testing.T) {
	best := time.Hour
	for range 10 {
		best = min(best, timeToFirst(t, 1000000))
	}
	require.Less(t, best, 100*time.Millisecond)
}
