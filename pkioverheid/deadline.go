package pkioverheid

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
)

// deadlineOf returns when a certificate of the hierarchy must have been replaced.
func deadlineOf(cert *x509.Certificate, h Hierarchy) time.Time {
	if by := h.Plan().ReplaceBy; !by.IsZero() && by.Before(cert.NotAfter) {
		return by
	}
	return cert.NotAfter
}

// warnBefore is how long before its deadline a certificate of ours is warned about.
const warnBefore = 90 * 24 * time.Hour

// ending reports a deadline within warnBefore. A certificate that has ended is another
// problem.
func ending(leaf *x509.Certificate, h Hierarchy, at time.Time) (Event, bool) {
	deadline := deadlineOf(leaf, h)
	if at.Before(deadline.Add(-warnBefore)) || at.After(leaf.NotAfter) {
		return Event{}, false
	}
	text := fmt.Sprintf("it must be replaced by %s, in %d days", phrase.Day(deadline), int(deadline.Sub(at).Hours()/24))
	if at.After(deadline) {
		text = "it should have been replaced by " + phrase.Day(deadline)
	}
	if next := h.Plan().Successor; next != "" {
		text += fmt.Sprintf(": order one under %s", next)
	}
	return Event{Problem: OwnEnding, Certificate: leaf, Hierarchy: h, Deadline: deadline, Text: text}, true
}

// endingLog has each logger get one line a day about the deadline of a [KeyPair], whoever
// is the first to look: the files' watcher, or any of the clients and servers that use it.
type endingLog struct {
	mu      sync.Mutex
	loggers []*slog.Logger // of clients and servers, each once; nil is the default
	leaf    *x509.Certificate
	told    map[*slog.Logger]int64 // the day
}

const maxEndingLoggers = 16 // that are remembered, those that came first

// use says that what has this logger, which may be nil, uses the key pair.
func (l *endingLog) use(logger *slog.Logger) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.loggers) < maxEndingLoggers && !slices.Contains(l.loggers, logger) {
		l.loggers = append(l.loggers, logger)
	}
}

// watchers are the loggers for who watches the files: the default one where nothing uses
// the key pair.
func (l *endingLog) watchers() (loggers []*slog.Logger) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, logger := range l.loggers {
		loggers = append(loggers, orDefaultLogger(logger))
	}
	if loggers == nil {
		loggers = append(loggers, orDefaultLogger(nil))
	}
	return loggers
}

// first reports whether a logger is yet to get its line about a certificate on this day,
// which is then its.
func (l *endingLog) first(logger *slog.Logger, leaf *x509.Certificate, at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told == nil || !leaf.Equal(l.leaf) || len(l.told) > maxEndingLoggers {
		l.leaf, l.told = leaf, make(map[*slog.Logger]int64)
	}
	day := dayOf(at)
	if before, found := l.told[logger]; found && before == day {
		return false
	}
	l.told[logger] = day
	return true
}

func dayOf(at time.Time) int64 { return at.Unix() / (24 * 60 * 60) }

func validAt(c *x509.Certificate, at time.Time) bool {
	return !at.Before(c.NotBefore) && !at.After(c.NotAfter)
}
