package pkioverheid

import (
	"fmt"
	"log/slog"
	"slices"
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
	l := &live[T]{cfg: cfg.snapshot(), build: build}
	from := l.source()
	value, err := build(l.with(from))
	if err != nil {
		return nil, err
	}
	l.state.Store(&built[T]{value, from})
	return l, nil
}

// snapshot returns a Config that the caller cannot change any more: what it puts
// into its stores and slices later was not checked, and must not come in with the
// next contents of RootSource.
func (cfg Config) snapshot() Config {
	cfg.Roots, cfg.TrialRoots, cfg.ClientRoots = copyOf(cfg.Roots), copyOf(cfg.TrialRoots), copyOf(cfg.ClientRoots)
	cfg.Hierarchies = slices.Clone(cfg.Hierarchies) // nil stays nil
	if cfg.Certificate != nil {
		own := *cfg.Certificate
		own.Certificate = slices.Clone(own.Certificate)
		cfg.Certificate = &own
	}
	if cfg.Base != nil {
		cfg.Base = cfg.Base.Clone()
	}
	return cfg
}

func (l *live[T]) source() *truststore.Store {
	if l.cfg.RootSource == nil {
		return nil
	}
	return l.cfg.RootSource.Store()
}

// with returns the Config with the roots of a moment.
func (l *live[T]) with(from *truststore.Store) Config {
	cfg := l.cfg
	cfg.fromSource = from
	return cfg
}

// get returns what is built from the present contents. Contents that cannot be
// trusted, because there is G3 in them perhaps, leave in use what was there.
func (l *live[T]) get() T {
	state := l.state.Load()
	if l.source() == state.from {
		return state.value
	}
	value, err := l.rebuild()
	if err != nil { // told without the lock: whoever listens may use the client
		err = fmt.Errorf("pkioverheid: new contents are refused, and the trust from before stays in use: %w", err)
		if l.cfg.OnRefusedRoots != nil {
			l.cfg.OnRefusedRoots(err)
		} else {
			slog.Error(err.Error())
		}
	}
	return value
}

// rebuild returns the value to use, and once for each contents why they were refused.
func (l *live[T]) rebuild() (T, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := l.state.Load()
	from := l.source()
	if from == state.from {
		return state.value, nil
	}
	value, err := l.build(l.with(from))
	if err != nil {
		l.state.Store(&built[T]{state.value, from})
		return state.value, err
	}
	l.state.Store(&built[T]{value, from})
	if l.retired != nil {
		l.retired(state.value)
	}
	return value, nil
}
