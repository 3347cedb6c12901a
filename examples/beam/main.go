// Command beam makes the inventory of files on file shares and in object stores with Apache
// Beam, on one machine or many: it reads each file with package inventory, groups what it
// found by certificate, and writes the JSON of pkio audit, which pkio report takes.
//
//	go run . --out=run.json 'gs://bucket/**' '/mnt/share/**'
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"

	"github.com/go-pkioverheid/trust/examples/internal/audit"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

func init() {
	beam.RegisterType(reflect.TypeFor[batch]())
	register.Function3x1(match)
	register.Emitter1[batch]()
	register.DoFn3x1[context.Context, batch, func(string, []byte), error](&readBatch{})
	register.Emitter2[string, []byte]()
	register.Function2x3(group)
	register.Iter1[[]byte]()
	register.DoFn3x1[context.Context, int, func(*[]byte) bool, error](&writeRun{})
}

// group makes one certificate of all that were found of it. What was not read, and the
// numbers, are under an empty SHA-256.
func group(sha256 string, parts func(*[]byte) bool) (int, []byte, error) {
	c, err := merged(audit.Run{}, parts)
	if err != nil {
		return 0, nil, err
	}
	found, _ := c.Finish(0, false, nil)
	data, err := json.Marshal(found)
	return 0, data, err
}

// merged collects the parts of an audit.
func merged(run audit.Run, parts func(*[]byte) bool) (*audit.Collector, error) {
	c := audit.NewCollector(run)
	var data []byte
	for parts(&data) {
		part := new(audit.Audit)
		if err := json.Unmarshal(data, part); err != nil {
			return nil, err
		}
		c.Add(part)
	}
	return c, nil
}

// writeRun writes the audit, of which the parts came one by one.
type writeRun struct {
	Out string
	Run audit.Run
}

// ProcessElement is called once, with all.
func (w *writeRun) ProcessElement(ctx context.Context, _ int, parts func(*[]byte) bool) error {
	c, err := merged(w.Run, parts)
	if err != nil {
		return err
	}
	found, _ := c.Finish(time.Since(w.Run.Start).Seconds(), false, nil)
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(found); err != nil {
		return err
	}
	return write(ctx, w.Out, text.Bytes())
}

// write writes a file whole or not at all, as object stores do by themselves.
func write(ctx context.Context, name string, data []byte) error {
	if isLocal(name) {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		return truststore.ReplaceFile(name, data)
	}
	store, err := filesystem.New(ctx, name)
	if err != nil {
		return err
	}
	defer store.Close()
	return filesystem.Write(ctx, store, name, data)
}

// pipeline is the inventory of all files that match.
func pipeline(s beam.Scope, patterns []string, out string, at time.Time) {
	run := audit.Run{Tool: "examples/beam", CAs: pkioverheid.EmbeddedVersion(), Start: at, At: at}
	run.Machine, _ = os.Hostname()
	for _, p := range patterns {
		run.Targets = append(run.Targets, safetext.Printable(p, audit.MaxPath))
	}
	files := beam.ParDo(s, match, beam.CreateList(s, patterns))
	files = beam.Reshuffle(s, files) // so that they are read on all machines
	found := beam.ParDo(s, &readBatch{At: at}, files)
	parts := beam.ParDo(s, group, beam.GroupByKey(s, found))
	beam.ParDo0(s, &writeRun{Out: out, Run: run}, beam.GroupByKey(s, parts))
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
