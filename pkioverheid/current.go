package pkioverheid

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/go-pkioverheid/trust/truststore"
)

// sources are what may change while a program runs: its roots and its own key pairs.
type sources struct {
	roots, clientRoots *truststore.Source // nil for none
	pairs              []*KeyPair
}

// contents are those of sources at a moment.
type contents struct {
	roots, clientRoots *truststore.Store
	pairs              []*tls.Certificate
}

func storeOf(s *truststore.Source) *truststore.Store {
	if s == nil {
		return nil
	}
	return s.Store()
}

func (s *sources) read() contents {
	c := contents{roots: storeOf(s.roots), clientRoots: storeOf(s.clientRoots)}
	for _, k := range s.pairs {
		c.pairs = append(c.pairs, k.pair())
	}
	return c
}

// unchanged reports whether the contents are the present ones. It allocates nothing.
func (s *sources) unchanged(c *contents) bool {
	if storeOf(s.roots) != c.roots || storeOf(s.clientRoots) != c.clientRoots {
		return false
	}
	for i, k := range s.pairs {
		if k.pair() != c.pairs[i] {
			return false
		}
	}
	return true
}

// current keeps what is built from sources in step with them.
type current[T any] struct {
	sources sources
	build   func(contents) (T, error)
	retired func(T) // called with what is no longer used; may be nil
	logger  *slog.Logger

	mu    sync.Mutex // held to build
	state atomic.Pointer[built[T]]
}

type built[T any] struct {
	value T
	from  contents // what the sources had
	used  contents // what the value is built from, which differs where from was refused
}

func newCurrent[T any](s sources, logger *slog.Logger, build func(contents) (T, error)) (*current[T], error) {
	s.pairs = slices.Clone(s.pairs)
	c := &current[T]{sources: s, build: build, logger: logger}
	from := s.read()
	value, err := build(from)
	if err != nil {
		return nil, err
	}
	c.state.Store(&built[T]{value, from, from})
	return c, nil
}

// get returns what is built from the present contents. Contents that cannot be
// trusted, because there is G3 in them perhaps, leave in use what was there.
func (c *current[T]) get() T {
	state := c.state.Load()
	if c.sources.unchanged(&state.from) {
		return state.value
	}
	value, err := c.rebuild()
	if err != nil { // logged without the lock: whoever listens may use the client
		logger := c.logger
		if logger == nil {
			logger = slog.Default()
		}
		logger.Error(fmt.Sprintf("pkioverheid: new contents are refused, and the trust from before stays in use: %v", err))
	}
	return value
}

// rebuild returns the value to use, and once for each contents why they were refused.
func (c *current[T]) rebuild() (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	state := c.state.Load()
	if c.sources.unchanged(&state.from) {
		return state.value, nil
	}
	from := c.sources.read()
	used := from
	value, err := c.build(from)
	if err != nil {
		// Roots that are refused are no reason not to use a new key pair.
		used.roots, used.clientRoots = state.used.roots, state.used.clientRoots
		again, stillWrong := c.build(used)
		if stillWrong != nil {
			used, again = state.used, state.value
		}
		value = again
	}
	c.state.Store(&built[T]{value, from, used})
	replaced := used.roots != state.used.roots || used.clientRoots != state.used.clientRoots || !slices.Equal(used.pairs, state.used.pairs)
	if replaced && c.retired != nil {
		c.retired(state.value)
	}
	return value, err
}
