package pkioverheid

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/go-pkioverheid/trust/truststore"
)

// live keeps what is built from a Config in step with its RootSource.
type live[T any] struct {
	cfg     Config
	build   func(Config) (T, error)
	retired func(T) // called with what is no longer used; may be nil

	mu    sync.Mutex // held to build
	state atomic.Pointer[built[T]]
}

type built[T any] struct {
	value T
	from  *truststore.Store // what RootSource gave; nil without one
}

func newLive[T any](cfg Config, build func(Config) (T, error)) (*live[T], error) {
	// What the caller adds to its stores later was not checked.
	cfg.Roots, cfg.TrialRoots, cfg.ClientRoots = copyOf(cfg.Roots), copyOf(cfg.TrialRoots), copyOf(cfg.ClientRoots)
	l := &live[T]{cfg: cfg, build: build}
	from := l.source()
	value, err := build(l.with(from))
	if err != nil {
		return nil, err
	}
	l.state.Store(&built[T]{value, from})
	return l, nil
}

func (l *live[T]) source() *truststore.Store {
	if l.cfg.RootSource == nil {
		return nil
	}
	return l.cfg.RootSource.Store()
}

// with returns the Config with the roots of a moment added.
func (l *live[T]) with(from *truststore.Store) Config {
	cfg := l.cfg
	if from.Len() > 0 {
		cfg.Roots = copyOf(cfg.Roots)
		for cert := range from.All() {
			cfg.Roots.Add(cert)
		}
	}
	return cfg
}

// get returns what is built from the present contents. Contents that cannot be
// trusted, because there is G3 in them perhaps, leave in use what was there.
func (l *live[T]) get() T {
	state := l.state.Load()
	if l.source() == state.from {
		return state.value
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	state = l.state.Load()
	from := l.source()
	if from == state.from {
		return state.value
	}
	value, err := l.build(l.with(from))
	if err != nil {
		slog.Error("pkioverheid: the new contents of Config.RootSource are refused, the trust from before stays in use", "error", err)
		l.state.Store(&built[T]{state.value, from}) // refused once is enough
		return state.value
	}
	l.state.Store(&built[T]{value, from})
	if l.retired != nil {
		l.retired(state.value)
	}
	return value
}
