package inventory

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// largeFile is from when only one file at a time is in memory.
const largeFile = 4 << 20

// reader reads files, one after the other.
type reader struct {
	*scanner
	buffer  []byte
	results []Result // of the file that is being read
	gunzip  *gzip.Reader

	job       job
	in        inner
	delivered bool // some results of the file
}

// flush delivers the results; false means that nobody wants more.
func (r *reader) flush() bool {
	more := r.send(r.results...)
	r.delivered = r.delivered || len(r.results) > 0
	clear(r.results)
	r.results = r.results[:0]
	return more
}

func (r *reader) add(result Result) {
	result.Target, result.Path = r.job.target, r.job.path
	if result.Place != "" || result.Err == nil {
		result.Place = strings.TrimSuffix(r.in.place+result.Place, ", ")
	}
	if result.Err != nil && !r.in.counted(result.Err) {
		return
	}
	r.results = append(r.results, result)
}

// end ends what was begun for a file: it says how many errors were left out, and lets others
// have large files in memory.
func (r *reader) end() {
	if n := r.in.troubles - maxTroubles; n > 0 {
		r.leftOut(n, "in it could not be looked at", false)
	}
	if n := r.in.skipped - maxTroubles; n > 0 {
		r.leftOut(n, "in it are not read", true)
	}
	r.release()
}

func (r *reader) leftOut(n int, what string, skipped bool) {
	places := strconv.Itoa(n) + " more places "
	if n == 1 {
		places = "1 more place "
		what = strings.Replace(what, " are ", " is ", 1)
	}
	err := &trouble{where: r.job.path, text: places + what, skipped: skipped}
	r.results = append(r.results, Result{Target: r.job.target, Path: r.job.path, Err: err})
}

func (r *reader) trouble(t *trouble) {
	t.where, t.place = r.job.path, r.in.place
	r.add(Result{Err: t})
}

func (r *reader) tooLarge(k contentKind) {
	r.trouble(&trouble{
		text:    fmt.Sprintf("it is larger than %d bytes and was not read", r.MaxFileSize),
		advice:  "raise Config.MaxFileSize if there can be certificates in it",
		skipped: k == nothing,
	})
}

// inner is where in a file a reader is, and what it may still read.
type inner struct {
	place    string // with what is between it and the place of what is found
	depth    int
	expanded int64 // bytes that may still come out
	members  int
	held     int64 // bytes of archives in memory
	holding  bool  // Scanner.large is taken
	stopped  bool  // a bound was reached, and it was said

	opening time.Duration // that passwords have taken
	slow    bool          // it was said that they take too long

	troubles, skipped int // results with an error
}

// maxTroubles is how many results of one file may have an error, and how many more one that
// is ErrSkipped: a text of a megabyte can be damaged in 80,000 places.
const maxTroubles = 100

// counted counts an error; false if it is one too many.
func (in *inner) counted(err error) bool {
	n := &in.troubles
	if errors.Is(err, ErrSkipped) {
		n = &in.skipped
	}
	*n++
	return *n <= maxTroubles
}

func newInner(size int64) inner {
	return inner{members: maxMembers, expanded: min(maxExpanded, freeExpanded+maxRatio*min(max(size, 0), maxExpanded/maxRatio))}
}

// Bounds of what is inside one file. Archives are read as streams; what is in memory of
// them is bounded by Config.MaxFileSize.
const (
	maxNesting   = 6
	maxMembers   = 200_000  // in all archives in it
	maxDirectory = 16 << 20 // bytes of the list of members in a zip
	freeExpanded = 64 << 20 // bytes that may come out of any file,
	maxRatio     = 100      // how many times its size may come out of it,
	maxExpanded  = 16 << 30 // and how much in all
)

// isUnread adds that something is there that is not read.
func (r *reader) isUnread(what string, err error) {
	r.Progress.Unread.Add(1)
	r.trouble(&trouble{text: "this is " + what + ", which is not read", cause: err, skipped: true})
}

// hold makes the reader the only one with a large file in memory, until the file is read.
func (r *reader) hold(size int64) {
	if size <= largeFile || r.in.holding {
		return
	}
	select {
	case r.large <- struct{}{}:
		r.in.holding = true
	case <-r.ctx.Done():
	}
}

// release ends hold.
func (r *reader) release() {
	if r.in.holding {
		<-r.large
		r.in.holding = false
	}
}

// What is read of a file at first, and at a time while looking for certificates in
// text. Most files are smaller.
const chunk = 256 << 10

// readFull reads until the buffer is full or the file ends, which is io.EOF.
func readFull(f io.Reader, buffer []byte) (int, error) {
	n := 0
	for n < len(buffer) {
		m, err := f.Read(buffer[n:])
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
