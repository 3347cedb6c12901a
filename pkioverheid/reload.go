package pkioverheid

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// sources are what may change while a program runs: its roots and its own key pairs.
type sources struct {
	roots, clientRoots *truststore.Source // nil for none
	distrusted         *Distrusted        // nil for none
	pairs              []*KeyPair
	clock              func() time.Time // needed where there are pairs
	tracing            *tracing
	server             bool // for tracing

	prefer []time.Time // the pairs' PreferFrom, which is read once
	memo   *trustMemo
}

// contents are those of sources at a moment.
type contents struct {
	trustContents
	pairs   []*tls.Certificate
	holders []*KeyPair // of pairs
	phase   int        // how many moments have come that change the order
	order   []int      // of pairs, those to show first
	memo    *trustMemo
	tracing *tracing
	first   bool // a constructor asks
}

// trustMemo keeps a trustState for as long as what decides on it stays: a new key pair
// needs no new one.
type trustMemo struct {
	from  trustContents
	state *trustState
}

// trust is called with the current's lock, or before there is one.
func (c contents) trust(build func() (*trustState, error)) (*trustState, error) {
	if m := c.memo; m != nil && m.state != nil && m.from == c.trustContents {
		return m.state, nil
	}
	t, err := build()
	if err == nil && c.memo != nil {
		*c.memo = trustMemo{c.trustContents, t}
	}
	return t, err
}

func storeOf(s *truststore.Source) *truststore.Store {
	if s == nil {
		return nil
	}
	return s.Store()
}

func (s *sources) trust() trustContents {
	return trustContents{storeOf(s.roots), storeOf(s.clientRoots), s.distrusted.set()}
}

func (s *sources) read() contents {
	c := contents{trustContents: s.trust(), memo: s.memo, tracing: s.tracing, holders: s.pairs}
	for _, k := range s.pairs {
		c.pairs = append(c.pairs, k.pair())
	}
	if len(s.pairs) > 0 {
		at := s.clock()
		c.phase, c.order = s.phase(c.pairs, at), s.order(c.pairs, at)
	}
	return c
}

// order returns the pairs in the order in which to show them. One with a PreferFrom goes
// before those ahead of it from then on, and one that has ended, or is not yet valid,
// goes last.
func (s *sources) order(pairs []*tls.Certificate, at time.Time) []int {
	var order, last []int
	for i, pair := range pairs {
		switch {
		case !validAt(pair.Leaf, at):
			last = append(last, i)
		case !s.prefer[i].IsZero() && !at.Before(s.prefer[i]):
			order = slices.Insert(order, 0, i)
		default:
			order = append(order, i)
		}
	}
	return append(order, last...)
}

// phase counts the moments that have come at which the order changes. As time goes on
// they only become more, so that the same number means the same order.
func (s *sources) phase(pairs []*tls.Certificate, at time.Time) int {
	if len(pairs) < 2 {
		return 0
	}
	n := 0
	for i, pair := range pairs {
		if !s.prefer[i].IsZero() && !at.Before(s.prefer[i]) {
			n++
		}
		if !at.Before(pair.Leaf.NotBefore) {
			n++
		}
		if at.After(pair.Leaf.NotAfter) {
			n++
		}
	}
	return n
}

// unchanged reports whether the contents are the present ones. It allocates nothing.
func (s *sources) unchanged(c *contents) bool {
	if s.trust() != c.trustContents {
		return false
	}
	for i, k := range s.pairs {
		if k.pair() != c.pairs[i] {
			return false
		}
	}
	return len(s.pairs) < 2 || s.phase(c.pairs, s.clock()) == c.phase
}

// current keeps what is built from sources in step with them.
type current[T any] struct {
	sources sources
	build   func(contents) (T, error)
	retired func(T) // called with what is no longer used; may be nil
	logger  *slog.Logger

	mu    sync.Mutex // for rebuild
	state atomic.Pointer[built[T]]
}

type built[T any] struct {
	value T
	from  contents // what the sources had
	used  contents // what the value is built from, which differs where from was refused
}

func newCurrent[T any](s sources, logger *slog.Logger, build func(contents) (T, error)) (*current[T], error) {
	s.pairs, s.memo = slices.Clone(s.pairs), new(trustMemo)
	for _, k := range s.pairs {
		s.prefer = append(s.prefer, k.PreferFrom)
	}
	c := &current[T]{sources: s, build: build, logger: logger}
	from := s.read()
	from.first = true
	value, err := build(from)
	if err != nil {
		return nil, err
	}
	c.state.Store(&built[T]{value, from, from})
	for _, k := range s.pairs {
		k.ending.use(logger)
	}
	return c, nil
}

// get returns what is built from the present contents. Contents that cannot be
// trusted, because there is G3 in them perhaps, leave in use what was there.
func (c *current[T]) get() T {
	state := c.state.Load()
	if c.sources.unchanged(&state.from) {
		return state.value
	}
	value, changed, err := c.rebuild()
	if err != nil { // logged without the lock: whoever listens may use the client
		text := "pkioverheid: new contents are refused, and the trust from before stays in use: "
		if all := (*allRootsError)(nil); errors.As(err, &all) && all.rest {
			text = "pkioverheid: new contents are refused in part: "
		}
		orDefaultLogger(c.logger).Error(text + err.Error())
	}
	if tr := c.sources.tracing; tr != nil && (changed || err != nil) {
		report(tr, tr.Replaced, Event{Server: c.sources.server, Err: err})
	}
	return value
}

// rebuild returns the value to use, whether it is another, and once for each contents why
// they were refused.
func (c *current[T]) rebuild() (value T, changed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	state := c.state.Load()
	if c.sources.unchanged(&state.from) {
		return state.value, false, nil
	}
	from := c.sources.read()
	used := from
	value, err = c.build(from)
	if err != nil {
		value, used, err = c.fallBack(state, from, err)
	}
	changed = used.trustContents != state.used.trustContents ||
		!slices.Equal(used.pairs, state.used.pairs) || used.phase != state.used.phase
	if !changed { // with its connections and sessions
		value = state.value
	}
	c.state.Store(&built[T]{value, from, used})
	if changed && c.retired != nil {
		c.retired(state.value)
	}
	return value, changed, err
}

// fallBack builds from as much as can be used of new contents that cannot: new key pairs
// even if the roots are refused, one source of roots even if the other is refused, and what
// is distrusted rather than new roots: all of it but the roots, if it names all of them. The
// error is err, or one that says more.
func (c *current[T]) fallBack(state *built[T], from contents, err error) (T, contents, error) {
	old := state.used.trustContents
	try := func(trust trustContents) (value T, used contents, err error) {
		used = from
		used.trustContents = trust
		value, err = c.build(used)
		return value, used, err
	}
	for _, trust := range []trustContents{
		{from.roots, old.clientRoots, from.distrusted},
		{old.roots, from.clientRoots, from.distrusted},
		{old.roots, old.clientRoots, from.distrusted},
	} {
		if trust == from.trustContents {
			continue
		}
		if value, used, refused := try(trust); refused == nil {
			return value, used, err
		}
	}
	// Of the roots in use: a new one that is distrusted has never been trusted.
	trust := trustContents{old.roots, old.clientRoots, from.distrusted}
	_, _, refused := try(trust)
	if all := (*allRootsError)(nil); errors.As(refused, &all) {
		if trust.distrusted = from.distrusted.sparing(all.roots, old.distrusted); trust.distrusted != nil {
			if value, used, refused := try(trust); refused == nil {
				var rest error = &allRootsError{all.roots, true}
				if !errors.As(err, &all) {
					rest = fmt.Errorf("%w; %w", err, rest) // the roots are refused as well
				}
				return value, used, rest
			}
		}
	}
	for _, trust := range []trustContents{
		{from.roots, from.clientRoots, old.distrusted},
		{from.roots, old.clientRoots, old.distrusted},
		{old.roots, from.clientRoots, old.distrusted},
		old,
	} {
		if value, used, refused := try(trust); refused == nil {
			return value, used, err
		}
	}
	return state.value, state.used, err
}

// watchFiles is truststore.WatchFiles for a use that returns errors of this package.
func watchFiles(ctx context.Context, what string, use func(contents [][]byte, at time.Time) error, paths []string, opts []truststore.Option) (problem func() error, err error) {
	var refused error
	problem, err = truststore.WatchFiles(ctx, func(contents [][]byte, at time.Time) error {
		refused = use(contents, at)
		return refused
	}, paths, opts...)
	if err != nil && (refused == nil || !errors.Is(err, refused)) {
		err = fmt.Errorf("pkioverheid: %s: %w", what, err)
	}
	return problem, err
}
