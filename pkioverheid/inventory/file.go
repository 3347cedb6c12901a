package inventory

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"syscall"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// procTimeout bounds the reading of what has no size, as under /proc, where some
// files are endless and others wait.
const procTimeout = 5 * time.Second

// read reads one file.
func (r *reader) read(j job) {
	r.job, r.in, r.delivered = j, inner{}, false
	defer r.end()
	if j.link && !r.follow() {
		return
	}
	// Not under /dev: what is named as a target was not yet looked at.
	if j.named || j.link {
		info, err := r.tree.stat(j.path)
		if err != nil {
			r.trouble(&trouble{text: osText(err), cause: err})
			return
		}
		if !info.Mode().IsRegular() {
			r.add(Result{Err: errNotRegular(j.path)})
			return
		}
	}
	f, err := r.tree.open(j.path)
	if err != nil {
		if j.named || !errors.Is(err, fs.ErrNotExist) { // else removed meanwhile
			r.trouble(&trouble{text: osText(err), cause: err})
		}
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		r.trouble(&trouble{text: osText(err), cause: err})
		return
	}
	if !info.Mode().IsRegular() {
		r.add(Result{Err: errNotRegular(j.path)})
		return
	}
	r.Progress.Files.Add(1)
	if err := r.readOpen(f, info.Size()); err != nil {
		r.trouble(&trouble{text: osText(err), cause: err})
	}
}

// follow looks where a symbolic link leads; false means that there is nothing to
// read, or nothing that is not read anyway.
func (r *reader) follow() bool {
	info, err := r.tree.stat(r.job.path)
	if err != nil {
		nowhere := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP)
		r.trouble(&trouble{text: "a symbolic link that leads nowhere: " + osText(err), cause: err, skipped: nowhere})
		return false
	}
	if r.FS != nil {
		if info.IsDir() {
			r.trouble(&trouble{text: "a symbolic link to a folder, which is not followed", skipped: true})
		}
		return !info.IsDir()
	}
	real, err := realPath(r.job.path)
	if err != nil {
		r.trouble(&trouble{text: "a symbolic link that leads nowhere: " + osText(err), cause: err})
		return false
	}
	switch {
	case r.isWalked(real):
		return false
	case info.IsDir():
		r.trouble(&trouble{text: "a symbolic link to a folder outside of what is scanned, which is not followed: name " + safetext.Printable(real, 200) + " as a target"})
		return false
	}
	return r.outside.first(real)
}

// readOpen decides by the beginning of a file what is to be done with it.
func (r *reader) readOpen(f fs.File, size int64) error {
	if r.buffer == nil {
		r.buffer = make([]byte, chunk)
	}
	if slow, ok := f.(interface{ SetReadDeadline(time.Time) error }); ok && size == 0 {
		_ = slow.SetReadDeadline(time.Now().Add(procTimeout)) // regular files have none
	}
	r.in = newInner(size)
	buffer := r.buffer
	if 0 < size && size < chunk { // to look for more would take another call of the system
		buffer = buffer[:size]
	}
	n, err := readFull(f, buffer)
	r.Progress.Bytes.Add(int64(n))
	data, whole := buffer[:n], err == io.EOF || len(buffer) < chunk
	if err != nil && !whole {
		return err
	}
	kind := look(data)
	limit, streamed := r.limitOf(kind, data)
	switch {
	case r.opens(kind, n, f, size):
		return nil
	case size > limit && !streamed:
		r.tooLarge(kind)
		return nil
	case kind == nothing:
		r.nothingIn(data, whole)
		return nil
	}
	if whole {
		r.inMemory(kind, data)
		return nil
	}
	if kind == text && !mentions(data) {
		head := bytes.Clone(data[:headSize])
		found, err := r.mentionedLater(f, size)
		if err != nil || !found {
			r.nothingIn(head, whole)
			return err
		}
	}
	// There is something in it. It is read anew: little of it is in memory.
	return r.readWhole(kind, size)
}

// opens reads what has files in it, and says what is not read. The first n bytes of the
// file are in the buffer; false means that it is something else.
func (r *reader) opens(kind contentKind, n int, f fs.File, size int64) bool {
	switch {
	case kind == unread:
		r.isUnread(whatIsUnread(r.buffer[:n]), nil)
	case kind.opens() && r.SkipArchives && !r.job.named:
		r.isUnread("an archive or compressed file", nil)
	case kind.opens():
		at, _ := f.(io.ReaderAt)
		r.open(kind, io.MultiReader(bytes.NewReader(r.buffer[:n]), f), at, size)
		if r.job.named && len(r.results) == 0 && !r.delivered && r.ctx.Err() == nil {
			r.trouble(&trouble{text: "there is no certificate in this archive"})
		}
	default:
		return false
	}
	return true
}

// mentionedLater looks through the rest of a text. One of which more comes than its size
// says may have no end.
func (r *reader) mentionedLater(f io.Reader, size int64) (bool, error) {
	seen := int64(len(r.buffer))
	for {
		if r.ctx.Err() != nil {
			return false, nil
		}
		// The end of what was seen is looked at once more: a word may be divided.
		kept := copy(r.buffer, r.buffer[len(r.buffer)-maxMention:])
		n, err := readFull(f, r.buffer[kept:])
		r.Progress.Bytes.Add(int64(n))
		if seen += int64(n); seen > max(size, r.MaxFileSize) {
			r.tooLarge(text)
			return false, nil
		}
		if mentions(r.buffer[:kept+n]) {
			return true, nil
		}
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
}

func (r *reader) readWhole(kind contentKind, size int64) error {
	r.hold(size)
	if r.ctx.Err() != nil {
		return nil
	}
	if kind == utf16Text {
		var found bool
		var err error
		if size, found, err = r.survey(size); err != nil || !found {
			if err == nil {
				r.nothingIn(r.buffer, false)
			}
			return err
		}
	}
	f, in, wide, err := r.reopen()
	if f == nil {
		return err
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, err := readFull(in, head)
	if err != nil && err != io.EOF {
		return err
	}
	in = io.LimitReader(io.MultiReader(bytes.NewReader(head[:n]), in), max(size, r.MaxFileSize)+1)
	limit, streamed := r.limitOf(kind, head[:n])
	if streamed && size > limit {
		return r.inParts(in, wide)
	}
	var data bytes.Buffer
	data.Grow(int(min(size, limit)) + bytes.MinRead)
	if _, err := data.ReadFrom(io.LimitReader(in, limit+1)); err != nil {
		return err
	}
	switch {
	case int64(data.Len()) <= limit:
		r.contentOf(data.Bytes(), wide)
	case streamed: // it has grown
		return r.inParts(io.MultiReader(&data, in), wide)
	default:
		r.tooLarge(kind)
	}
	return nil
}

// reopen opens the file anew. Another one may have taken its place since: the file is
// nil if that is not regular, and wide says whether in decodes UTF-16.
func (r *reader) reopen() (f fs.File, in io.Reader, wide bool, err error) {
	if f, err = r.tree.open(r.job.path); err != nil {
		return nil, nil, false, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		r.add(Result{Err: errNotRegular(r.job.path)})
	}
	if err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, nil, false, err
	}
	buffered := bufio.NewReaderSize(f, headSize)
	head, _ := buffered.Peek(headSize) // an error comes again when it is read
	if look(head) == utf16Text {
		return f, newUTF16Reader(buffered), true, nil
	}
	return f, buffered, false, nil
}

// survey looks through a text in UTF-16 without keeping it: how long it is in UTF-8,
// and whether there can be something in it.
func (r *reader) survey(size int64) (length int64, found bool, err error) {
	f, in, wide, err := r.reopen()
	if f == nil {
		return 0, false, err
	}
	defer f.Close()
	if !wide { // readWhole looks at what has taken its place
		return size, true, nil
	}
	kept := 0
	for r.ctx.Err() == nil {
		n, err := readFull(in, r.buffer[kept:])
		if err != nil && err != io.EOF {
			return 0, false, err
		}
		data := r.buffer[:kept+n]
		if length == 0 {
			kind := look(data)
			if kind != text && kind != bareBase64 {
				return 0, false, nil
			}
			found = kind == bareBase64
		}
		length += int64(n)
		found = found || mentions(data)
		if err == io.EOF {
			return length, found, nil
		}
		kept = copy(r.buffer, data[len(data)-maxMention:])
	}
	return 0, false, nil
}

// contentOf adds the results of a file that is read, if there is something in it;
// wide says that it was in UTF-16.
func (r *reader) contentOf(data []byte, wide bool) {
	if wide {
		blankDeclaration(data)
	}
	switch kind := look(data); {
	case kind == text && !mentions(data), wide && kind != text && kind != bareBase64:
	case kind == mail:
		r.readMail(data)
	case kind == nothing, kind == unread, kind.opens(): // it has changed
	default:
		r.content(kind, data)
	}
	r.nothingIn(data, true)
}

// nothingIn adds what a file is, in the words of truststore.Open, if it was named
// itself and nothing was found in it. data is the beginning of it, or the whole. Of what
// is large only the beginning is looked at: more would take as much memory again.
func (r *reader) nothingIn(data []byte, whole bool) {
	if !r.job.named || r.in.depth > 0 || len(r.results) > 0 || r.delivered || r.ctx.Err() != nil {
		return
	}
	var err error
	if whole && len(data) <= chunk {
		_, err = truststore.Decode(data, r.options...)
	} else {
		_, err = truststore.Detect(data[:min(len(data), headSize)])
	}
	if f, unknown := truststore.Detect(data[:min(len(data), headSize)]); unknown == nil && f == truststore.XML {
		err = nil // it was looked through as text too
	}
	if err == nil || errors.Is(err, truststore.ErrPassword) {
		err = errors.New("there is no certificate in it")
	}
	r.trouble(&trouble{cause: err})
}

// inMemory reads what is in memory.
func (r *reader) inMemory(kind contentKind, data []byte) {
	wide := kind == utf16Text
	if wide {
		data, _ = io.ReadAll(newUTF16Reader(bytes.NewReader(data))) // which has no other errors than the end
	}
	r.contentOf(data, wide)
}
