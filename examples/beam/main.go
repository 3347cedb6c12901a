// Command beam makes the inventory of files on file shares and in object stores with Apache
// Beam, on one machine or many: it reads each file with package inventory, groups what it
// found by certificate, and writes the JSON of pkio audit, which pkio report takes.
//
//	go run . --out=run.json 'gs://bucket/**' '/mnt/share/*/*'
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
)

func init() {
	register.Function3x1(match)
	register.Emitter1[string]()
	register.DoFn3x1[context.Context, string, func(string, []byte), error](&readFile{})
	register.Emitter2[string, []byte]()
	register.Function2x2(group)
	register.Iter1[[]byte]()
	register.DoFn3x1[context.Context, int, func(*[]byte) bool, error](&writeRun{})
}

// maxFile is what is read of a file at most, as pkio does.
const maxFile = 64 << 20

// readFile looks for certificates in a file. At is when they are looked at.
type readFile struct{ At time.Time }

// verifier is made once in a process, since it remembers.
var verifier = sync.OnceValues(func() (*pkioverheid.Verifier, error) { return pkioverheid.NewVerifier(pkioverheid.Trust{}) })

// ProcessElement emits a certificate with one place for each that is found, by its SHA-256,
// and what is not read by nothing. A file that cannot be read is not the end of the run.
func (f *readFile) ProcessElement(ctx context.Context, path string, emit func(string, []byte)) error {
	v, err := verifier()
	if err != nil {
		return err
	}
	data, err := contents(ctx, path)
	if errors.Is(err, syscall.EISDIR) {
		return nil // a pattern matches folders too
	}
	if err != nil {
		return emitJSON(emit, "", notRead{Target: path, Path: path, Error: "it cannot be read: " + printable(err.Error())})
	}
	cfg := inventory.Config{Verifier: v.Chains(), Time: f.At, JudgeAhead: true, Parallel: 1, MaxFileSize: maxFile}
	for r := range inventory.ScanReader(ctx, cfg, path, bytes.NewReader(data), int64(len(data))) {
		if r.Err != nil {
			err = emitJSON(emit, "", notReadOf(r))
		} else {
			err = emitJSON(emit, truststore.FingerprintOf(r.Certificate).String(), certificateOf(r, f.At))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// match lists the files of a pattern. Beam's fileio.MatchAll opens each of them for its size,
// and keeps them open.
func match(ctx context.Context, pattern string, emit func(string)) error {
	store, err := filesystem.New(ctx, pattern)
	if err != nil {
		return err
	}
	defer store.Close()
	paths, err := store.List(ctx, pattern)
	for _, path := range paths {
		emit(path)
	}
	return err
}

func contents(ctx context.Context, path string) ([]byte, error) {
	store, err := filesystem.New(ctx, path)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	in, err := store.OpenRead(ctx, path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(io.LimitReader(in, maxFile+1))
}

func emitJSON(emit func(string, []byte), key string, v any) error {
	data, err := json.Marshal(v)
	if err == nil {
		emit(key, data)
	}
	return err
}

// group makes one certificate of all that were found of it; what is not read stays a list.
func group(sha256 string, found func(*[]byte) bool) (int, []byte) {
	var data []byte
	if sha256 == "" {
		var all []json.RawMessage
		for found(&data) {
			all = append(all, slices.Clone(data))
		}
		slices.SortFunc(all, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
		return 0, must(json.Marshal(run{NotRead: all}))
	}
	var c *certificate
	for found(&data) {
		var next certificate
		if err := json.Unmarshal(data, &next); err != nil {
			panic(err) // it was marshalled here
		}
		if c == nil {
			c = &next
		} else {
			c.add(&next)
		}
	}
	slices.SortFunc(c.Places, place.compare)
	return 0, must(json.Marshal(run{Certificates: []*certificate{c}}))
}

// writeRun writes the run, of which the parts came one by one.
type writeRun struct {
	Out     string
	At      time.Time
	Targets []string
}

// ProcessElement is called once, with all.
func (w *writeRun) ProcessElement(ctx context.Context, _ int, parts func(*[]byte) bool) error {
	all := run{Version: 1, Certificates: []*certificate{}, NotRead: []json.RawMessage{}}
	host, _ := os.Hostname()
	all.Run = runHead{Machine: host, Tool: "examples/beam", KnownCAs: pkioverheid.EmbeddedVersion(), Start: w.At, At: w.At,
		Seconds: time.Since(w.At).Seconds(), Targets: w.Targets}
	var data []byte
	for parts(&data) {
		var part run
		if err := json.Unmarshal(data, &part); err != nil {
			return err
		}
		all.Certificates = append(all.Certificates, part.Certificates...)
		all.NotRead = append(all.NotRead, part.NotRead...)
	}
	slices.SortFunc(all.Certificates, func(a, b *certificate) int { return strings.Compare(a.SHA256, b.SHA256) })
	all.count()
	store, err := filesystem.New(ctx, w.Out)
	if err != nil {
		return err
	}
	defer store.Close()
	out, err := store.OpenWrite(ctx, w.Out)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(all); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err) // of our own types, which can be marshalled
	}
	return data
}

// pipeline is the inventory of all files that match.
func pipeline(s beam.Scope, patterns []string, out string, at time.Time) {
	files := beam.ParDo(s, match, beam.CreateList(s, patterns))
	files = beam.Reshuffle(s, files) // so that they are read on all machines
	found := beam.ParDo(s, &readFile{At: at}, files)
	parts := beam.ParDo(s, group, beam.GroupByKey(s, found))
	beam.ParDo0(s, &writeRun{Out: out, At: at, Targets: patterns}, beam.GroupByKey(s, parts))
}

func main() {
	out := flag.String("out", "", "the file for the JSON, which must not be there yet; an object store's too")
	flag.Parse()
	beam.Init()
	if err := start(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "beam:", err)
		os.Exit(2)
	}
}

func start(out string, patterns []string) error {
	if out == "" || len(patterns) == 0 {
		return fmt.Errorf("usage: beam --out=run.json PATTERN…")
	}
	ctx := context.Background()
	if there, err := exists(ctx, out); err != nil || there {
		return cmp.Or(err, fmt.Errorf("%s is there already: give another name", out))
	}
	p, s := beam.NewPipelineWithRoot()
	pipeline(s, patterns, out, time.Now().UTC().Truncate(time.Second))
	return beamx.Run(ctx, p)
}

// exists asks the file system of a name, which may be an object store.
func exists(ctx context.Context, name string) (bool, error) {
	store, err := filesystem.New(ctx, name)
	if err != nil {
		return false, err
	}
	defer store.Close()
	found, err := store.List(ctx, name)
	return len(found) > 0, err
}
