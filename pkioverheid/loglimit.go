package pkioverheid

import (
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain"
)

// logLimit lets one line a second through for each reason, of which there are few.
type logLimit struct {
	mu   sync.Mutex
	last map[logReason]*logged
}

type logReason struct {
	reason FailureReason
	cause  chain.Reason
}

type logged struct {
	at      time.Time
	leftOut int
}

// admit reports whether a line may be logged, and how many were not since.
func (l *logLimit) admit(reason FailureReason, cause chain.Reason) (leftOut int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now() // a limit for the log, which no verification depends on
	last := l.last[logReason{reason, cause}]
	if last == nil {
		last = new(logged)
		if l.last == nil {
			l.last = make(map[logReason]*logged)
		}
		l.last[logReason{reason, cause}] = last
	}
	if age := now.Sub(last.at); age >= 0 && age < time.Second {
		last.leftOut++
		return 0, false
	}
	leftOut = last.leftOut
	*last = logged{at: now}
	return leftOut, true
}
