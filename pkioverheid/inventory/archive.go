package inventory

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// within reads a part of the file: what add adds has its name before its place.
func (r *reader) within(name string, read func()) {
	before := r.in.place
	r.in.place += name + ", "
	read()
	r.in.place = before
}

// member is the name of a member of an archive in a place.
func member(name string) string { return "in " + safetext.Quote(name) }

var (
	errExpands = errors.New("the archive becomes too large when it is opened up")
	errMembers = errors.New("there are more than " + strconv.Itoa(maxMembers) + " files in the archive")
	errNesting = errors.New("there are more than " + strconv.Itoa(maxNesting) + " archives inside one another")
)

// isBound reports whether an error says that there was more to read.
func isBound(err error) bool {
	return errors.Is(err, errExpands) || errors.Is(err, errMembers) || errors.Is(err, errNesting)
}

// expanding counts what comes out of an archive.
type expanding struct {
	*reader
	from io.Reader
}

func (e expanding) Read(p []byte) (int, error) {
	if err := e.ctx.Err(); err != nil {
		return 0, err
	}
	if e.in.expanded <= 0 {
		return 0, errExpands
	}
	n, err := e.from.Read(p[:min(int64(len(p)), e.in.expanded)])
	e.in.expanded -= int64(n)
	return n, err
}

// open looks into an archive, which from yields whole. at, if not nil, reads it anywhere.
func (r *reader) open(kind contentKind, from io.Reader, at io.ReaderAt, size int64) {
	if r.in.depth == maxNesting {
		r.endOfArchive(errNesting)
		return
	}
	r.in.depth++
	var err error
	switch kind {
	case zipped:
		err = r.openZip(from, at, size)
	case gzipped:
		err = r.openGzip(from)
	case tarred:
		err = r.openTar(from)
	}
	r.in.depth--
	r.endOfArchive(err)
}

// endOfArchive says why an archive was not read to its end. What is damaged, no program
// reads: it is counted.
func (r *reader) endOfArchive(err error) {
	switch {
	case err == nil, r.ctx.Err() != nil:
	case isBound(err):
		if !r.in.stopped {
			r.trouble(&trouble{advice: "unpack it and give what may hold certificates", cause: err})
		}
		r.in.stopped = true
	default:
		r.isUnread("a damaged archive or compressed file ("+osText(err)+")", err)
	}
}

// openGzip keeps what it takes to decompress for the next file: a folder of manuals has
// thousands of small ones.
func (r *reader) openGzip(from io.Reader) error {
	z := r.gunzip
	if r.gunzip = nil; z == nil { // or it is in use, and this one is inside
		z = new(gzip.Reader)
	}
	err := z.Reset(from)
	if err == nil {
		err = r.stream(expanding{r, z}, -1)
	}
	r.gunzip = z
	return err
}

func (r *reader) openTar(from io.Reader) error {
	t := tar.NewReader(from)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return err
		}
		if r.in.members--; r.in.members < 0 {
			return errMembers
		}
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeGNUSparse {
			continue
		}
		r.within(member(h.Name), func() { err = r.stream(expanding{r, t}, h.Size) })
		if err != nil {
			return err
		}
	}
}

// openZip needs to read its archive anywhere: without that it is taken into memory.
func (r *reader) openZip(from io.Reader, at io.ReaderAt, size int64) error {
	if at == nil || size < 0 {
		data, err := r.take(from)
		if err != nil || data == nil {
			return err
		}
		defer func() { r.in.held -= int64(len(data)) }()
		at, size = bytes.NewReader(data), int64(len(data))
	}
	directory := &boundedAt{at, maxDirectory}
	z, err := zip.NewReader(directory, size)
	if directory.left < 0 {
		err = errMembers
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return err
	}
	directory.left = 1 << 62
	var damaged error
	encrypted, other := false, false
	for _, f := range z.File {
		if r.in.members--; r.in.members < 0 {
			return errMembers
		}
		switch {
		case f.Mode().IsDir():
			continue
		case f.Flags&1 != 0:
			encrypted = true
			continue
		case f.Method != zip.Store && f.Method != zip.Deflate:
			other = true
			continue
		}
		in, err := f.Open()
		if err == nil {
			r.within(member(f.Name), func() { err = r.stream(expanding{r, in}, -1) })
			in.Close()
		}
		switch {
		case isBound(err), errors.Is(err, context.Canceled), r.ctx.Err() != nil:
			return err
		case err != nil:
			damaged = err
		}
	}
	if encrypted {
		r.isUnread("an archive with encrypted files", nil)
	}
	if other {
		r.isUnread("an archive with files that are compressed in a way", nil)
	}
	return damaged
}

// take reads an archive into memory; nil if it does not fit, which it says.
func (r *reader) take(from io.Reader) ([]byte, error) {
	var data bytes.Buffer
	limit := r.MaxFileSize - r.in.held
	if _, err := data.ReadFrom(io.LimitReader(from, limit+1)); err != nil {
		return nil, err
	}
	if int64(data.Len()) > limit {
		r.tooLarge(zipped)
		return nil, nil
	}
	r.hold(int64(data.Len()))
	r.in.held += int64(data.Len())
	return data.Bytes(), nil
}

// boundedAt bounds what is read.
type boundedAt struct {
	io.ReaderAt
	left int64
}

func (b *boundedAt) ReadAt(p []byte, off int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errMembers
	}
	return b.ReaderAt.ReadAt(p, off)
}
