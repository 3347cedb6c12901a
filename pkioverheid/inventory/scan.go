package inventory

import (
	"context"
	"io"
	"iter"
	"sync"

	"github.com/go-pkioverheid/trust/truststore"
)

// Scan looks for certificates in targets, each a file, a folder with all that is below it,
// or a host and port ("service.example:443", "[2001:db8::1]:443"), or a URL of a protocol
// that begins in clear, such as smtp://mail.example, whose server is asked for TLS
// (STARTTLS). What exists as a file is one.
//
// Results come while the scan goes on; only those of one file or host keep their order. The
// scan begins anew each time the sequence is ranged over. It ends early when ctx is
// cancelled or the loop is left, and returns after all goroutines have ended. ctx.Err says
// whether it was cut short. See "Details" in the package documentation for links.
func Scan(ctx context.Context, cfg Config, targets ...string) iter.Seq[Result] {
	return cfg.results(ctx, func(s *scanner) { s.run(targets) })
}

// ScanReader looks for certificates in the bytes of one file that lies elsewhere, as in an
// object store or a database. name is the Path and Target of its results; size is how many
// bytes there are, or negative if that is not known. At most Config.MaxFileSize bytes are
// in memory. An error of in is a Result with an Err.
func ScanReader(ctx context.Context, cfg Config, name string, in io.Reader, size int64) iter.Seq[Result] {
	return cfg.results(ctx, func(s *scanner) {
		most := size // of which it depends how much may come out of an archive
		if size < 0 {
			most = s.MaxFileSize
		}
		r := reader{scanner: s, job: job{target: name, path: name, alone: true}, in: newInner(most)}
		s.Progress.Files.Add(1)
		if err := r.stream(countingReader{in, s.Progress}, size); err != nil {
			r.trouble(&trouble{text: osText(err), cause: err})
		}
		r.end()
		r.flush()
	})
}

// results are those that run sends.
func (cfg Config) results(ctx context.Context, run func(*scanner)) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		ctx, cancel := context.WithCancel(ctx)
		cfg := cfg.withDefaults()
		s := &scanner{
			Config:  cfg,
			ctx:     ctx,
			judge:   newJudge(cfg),
			tree:    treeOf(cfg.FS),
			jobs:    make(chan job, maxJobs),
			out:     make(chan Result, maxResults),
			large:   make(chan struct{}, 1),
			options: []truststore.Option{truststore.WithLimit(cfg.MaxFileSize)},
		}
		// The last thing that a scan does is to close out.
		defer func() {
			cancel()
			for range s.out {
			}
		}()
		go func() {
			defer close(s.out)
			run(s)
		}()
		for r := range s.out {
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
	}
}

// run starts the goroutines and ends after them.
func (s *scanner) run(targets []string) {
	var wg sync.WaitGroup
	defer wg.Wait()

	var hosts, paths []string
	for _, t := range targets {
		if s.isHost(t) {
			hosts = append(hosts, t)
		} else {
			paths = append(paths, t)
		}
	}
	s.resolveRoots(paths)
	for range s.Parallel {
		wg.Go(s.readFiles)
	}
	wg.Go(func() {
		defer close(s.jobs)
		w := walker{scanner: s}
		for _, path := range paths {
			if !w.target(path) {
				return
			}
		}
	})
	next := make(chan string)
	for range min(s.ParallelHosts, len(hosts)) {
		wg.Go(func() {
			for host := range next {
				s.send(s.askHost(host)...)
			}
		})
	}
	defer close(next)
	for _, host := range hosts {
		select {
		case next <- host:
		case <-s.ctx.Done():
			return
		}
	}
}

// readFiles reads files until there are no more. When the scan has been ended, it takes
// the rest without reading them, because the walker may be waiting.
func (s *scanner) readFiles() {
	r := reader{scanner: s}
	for j := range s.jobs {
		if s.ctx.Err() == nil {
			r.read(j)
			r.flush()
		}
	}
}

// countingReader counts the bytes that it reads.
type countingReader struct {
	io.Reader
	progress *Progress
}

func (c countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.progress.Bytes.Add(int64(n))
	return n, err
}
