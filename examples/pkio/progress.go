package main

import (
	"io"
	"slices"
	"strings"
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
	p.bar.Describe(progressText(int(p.counts.Files.Load()), int(p.counts.Hosts.Load()), int(p.counts.Certificates.Load()), widthOf(p.w)))
	_ = p.bar.Add(1) // a terminal that is gone does not stop the scan
}

// aroundProgress is what the bar writes beside its text: what turns, the time, and blanks.
const aroundProgress = 16

// progressText says how far a scan is, as far as a line of that width has room: one that
// breaks is not taken away again.
func progressText(files, hosts, certificates, width int) string {
	parts := []string{count(files, "file"), count(hosts, "host"), count(certificates, "certificate")}
	if hosts == 0 {
		parts = slices.Delete(parts, 1, 2)
	} else if files == 0 {
		parts = parts[1:]
	}
	for len(parts) > 1 && len(strings.Join(parts, ", ")) > width-aroundProgress {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, ", ")
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
