package inventory

import (
	"context"
	"sync"

	"github.com/go-pkioverheid/trust/truststore"
)

// scanner is one scan. One goroutine walks the folders, others read the files that
// it finds, and others ask hosts.
type scanner struct {
	Config
	ctx   context.Context
	judge *judge
	tree  tree

	jobs  chan job
	out   chan Result
	large chan struct{} // taken by whoever has a large file in memory

	roots   []string // the folders among the targets, resolved
	outside outside
	asking  sync.Mutex // held while Exclude is asked
	options []truststore.Option
}

// excluded asks Exclude, from one goroutine at a time.
func (s *scanner) excluded(path string) bool {
	if s.Exclude == nil {
		return false
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	return s.Exclude(path)
}

// send delivers results; false means that nobody wants more. It never waits in vain:
// Scan takes what is sent until out is closed.
func (s *scanner) send(results ...Result) bool {
	for i := range results {
		if s.ctx.Err() != nil {
			return false
		}
		s.out <- results[i]
	}
	return s.ctx.Err() == nil
}

// How many files can wait to be read, and how many results to be taken. With fewer,
// goroutines wake each other more often, which costs more than what they do.
const (
	maxJobs    = 256
	maxResults = 128
)

// job is a file to read.
type job struct {
	target, path string
	named        bool // it is itself a target
	link         bool
	alone        bool // path is only a name: no files lie beside it
}
