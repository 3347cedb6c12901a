package crl

import (
	"context"
	"time"
)

const (
	// restAfter is how long a source is kept up that no certificate named. Its list
	// stays.
	restAfter = 24 * time.Hour
	// checkEvery bounds how long run sleeps, because a clock can jump.
	checkEvery = time.Minute
	// folderEvery is how often the folder is read.
	folderEvery = 10 * time.Second
)

// run refreshes what is due and reads the folder.
func (s *store) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var looks <-chan time.Time // not with each wake: connections cause those
	if s.folder.path != "" {
		ticker := time.NewTicker(folderEvery)
		defer ticker.Stop()
		looks = ticker.C
	}
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-looks:
			s.folder.update(s.now(), s.skew, s.logger)
			continue
		case <-s.wake:
		case <-timer.C:
		}
		timer.Reset(s.round())
		s.cleanUp()
	}
}

// resting reports whether a source is not kept up, because nothing needed its list
// for a day. The list stays: it may have somebody on it. The caller holds the lock.
func (src *source) resting(now time.Time) bool {
	return !src.pinned && now.UnixNano()-src.used.Load() > int64(restAfter)
}

// round starts the refreshes that are due and returns when the next one is.
func (s *store) round() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	busy := map[*authority]bool{}
	for _, src := range s.sources {
		busy[src.authority] = busy[src.authority] || src.running
	}
	pause := checkEvery
	for _, src := range s.sources {
		if src.running || !src.started || s.closed {
			continue
		}
		if src.resting(now) {
			if src.last() == nil {
				s.drop(src)
			}
			continue
		}
		left := time.Duration(src.due.Load() - now.UnixNano())
		switch {
		case 0 < left && left <= s.refreshEvery: // more, if the clock was set back
			pause = min(pause, left)
		case !busy[src.authority]: // else when that has ended
			busy[src.authority] = true
			s.start(src)
		}
	}
	return pause
}

// open starts the goroutine that refreshes lists.
func (s *store) open() {
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.tasks.Go(s.run)
}
