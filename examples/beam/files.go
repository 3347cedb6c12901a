package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"

	"github.com/go-pkioverheid/trust/examples/internal/audit"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

const (
	maxFile   = 64 << 20 // bytes that are read of a file
	batchSize = 200      // files: an element costs a runner far more than a small file
)

// batch is some files of a pattern.
type batch struct {
	Target string
	Paths  []string
}

// match lists the files of a pattern. Beam's fileio.MatchAll opens each of them for its size,
// and keeps them open.
func match(ctx context.Context, pattern string, emit func(batch)) error {
	paths, err := list(ctx, pattern)
	for some := range slices.Chunk(paths, batchSize) {
		emit(batch{pattern, some})
	}
	return err
}

// list lists the files of a pattern. Of a folder and "/**" that are all files below it, in
// an object store and here, where Beam reads ** as *; symbolic links are left out then.
func list(ctx context.Context, pattern string) (paths []string, err error) {
	if folder, all := folderOf(pattern); all && isLocal(pattern) {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() && d.Type()&fs.ModeSymlink == 0 {
				paths = append(paths, path) // what cannot be listed cannot be read either, and so is a finding
			}
			return nil
		})
		return paths, err
	}
	store, err := filesystem.New(ctx, pattern)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	paths, err = store.List(ctx, pattern)
	if err == nil && len(paths) == 0 {
		paths = []string{pattern} // which is not there: a finding, since somebody counts on it
	}
	return paths, err
}

// folderOf is the folder of a pattern for all files below it. With its slash it is one also
// where it is a link to one, or the root.
func folderOf(pattern string) (folder string, all bool) {
	folder, all = strings.CutSuffix(pattern, "**")
	return folder, all && strings.HasSuffix(folder, "/")
}

func isLocal(path string) bool { return !strings.Contains(path, "://") }

// readBatch looks for certificates in files. At is when they are looked at.
type readBatch struct{ At time.Time }

// verifier is made once in a process, since it remembers.
var verifier = sync.OnceValues(func() (*pkioverheid.Verifier, error) { return pkioverheid.NewVerifier(pkioverheid.Trust{}) })

// ProcessElement emits each certificate by its SHA-256, with its places in the batch, and
// what is not read by nothing. A file that cannot be read is not the end of the run.
func (f *readBatch) ProcessElement(ctx context.Context, b batch, emit func(string, []byte)) error {
	v, err := verifier()
	if err != nil {
		return err
	}
	store, err := filesystem.New(ctx, b.Target)
	if err != nil {
		return err
	}
	defer store.Close()
	progress := new(inventory.Progress)
	cfg := inventory.Config{Verifier: v.Chains(), Time: f.At, JudgeAhead: true, Parallel: 1, MaxFileSize: maxFile, Passwords: usual, Progress: progress}
	results := make(chan inventory.Result, 64)
	go func() {
		defer close(results)
		scanAll(ctx, cfg, store, b.Paths, results)
	}()
	c := audit.NewCollector(audit.Run{At: f.At})
	for r := range results {
		r.Target = b.Target
		c.Take(r)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	found, _ := c.Finish(0, false, nil)
	for _, cert := range found.Certificates {
		if err := emitPart(emit, cert.SHA256, &audit.Audit{Certificates: []*audit.Certificate{cert}}); err != nil {
			return err
		}
	}
	s := &found.Summary
	rest := audit.Summary{NotRead: s.NotRead, Skipped: s.Skipped, NotListed: s.NotListed, Unread: int(progress.Unread.Load())}
	if rest == (audit.Summary{}) {
		return nil
	}
	return emitPart(emit, "", &audit.Audit{Summary: rest, NotRead: found.NotRead})
}

func emitPart(emit func(string, []byte), key string, part *audit.Audit) error {
	data, err := json.Marshal(part)
	if err == nil {
		emit(key, data)
	}
	return err
}

// usual are the passwords that pkio audit tries when it is given none.
func usual(string) iter.Seq[string] { return slices.Values([]string{"changeit"}) }

// scanAll looks into the files, several at a time: a bundle is for one goroutine of a
// worker, which would wait for the object store most of the time.
func scanAll(ctx context.Context, cfg inventory.Config, store filesystem.Interface, paths []string, results chan<- inventory.Result) {
	next := make(chan string)
	var readers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		readers.Go(func() {
			for path := range next {
				scanFile(ctx, cfg, store, path, results)
			}
		})
	}
	for _, path := range paths {
		next <- path
	}
	close(next)
	readers.Wait()
}

// special is the error of a file that may never end, which pkio does not open either.
type special struct{}

func (special) Error() string        { return "a pipe, socket or device, which is not opened" }
func (special) Is(target error) bool { return target == inventory.ErrSkipped }

var errMissing = errors.New("no file has this name, or matches this pattern")

func scanFile(ctx context.Context, cfg inventory.Config, store filesystem.Interface, path string, results chan<- inventory.Result) {
	if info, err := os.Stat(path); isLocal(path) && err == nil && !info.Mode().IsRegular() {
		if !info.IsDir() {
			results <- inventory.Result{Target: path, Path: path, Err: special{}}
		}
		return
	}
	in, err := store.OpenRead(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		err = errMissing
	}
	if err != nil {
		results <- inventory.Result{Target: path, Path: path, Err: err}
		return
	}
	defer in.Close()
	for r := range inventory.ScanReader(ctx, cfg, path, in, -1) {
		results <- r
	}
}
