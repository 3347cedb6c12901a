package main

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// progress shows on a terminal how far a scan is. How much there is to do is not known:
// to count the files first would take as long as to read them.
type progress struct {
	counts inventory.Progress
	w      io.Writer

	mu   sync.Mutex
	bar  *progressbar.ProgressBar // nil as long as none is shown
	stop chan struct{}
	done sync.WaitGroup
}

// Who waits less than this needs no bar.
const progressAfter = 300 * time.Millisecond

// startProgress shows a bar on w if that is a terminal.
func startProgress(w io.Writer) *progress {
	p := &progress{w: w, stop: make(chan struct{})}
	if !isTerminal(w) {
		return p
	}
	p.done.Add(1)
	go func() {
		defer p.done.Done()
		tick := time.NewTicker(progressAfter)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.show()
			case <-p.stop:
				return
			}
		}
	}()
	return p
}

func (p *progress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(-1,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSpinnerType(14),
			progressbar.OptionSetSpinnerChangeInterval(0), // turned by Add only: no goroutine of its own
			progressbar.OptionSetElapsedTime(true),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionUseANSICodes(false),
		)
	}
	text := count(int(p.counts.Files.Load()), "file") + ", "
	if hosts := p.counts.Hosts.Load(); hosts > 0 {
		text += count(int(hosts), "host") + ", "
	}
	p.bar.Describe(text + count(int(p.counts.Certificates.Load()), "certificate"))
	_ = p.bar.Add(1) // a terminal that is gone does not stop the scan
}

// end takes the bar away.
func (p *progress) end() {
	close(p.stop)
	p.done.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
