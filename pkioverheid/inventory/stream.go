package inventory

import (
	"bytes"
	"io"
)

// stream reads what comes once: a member of an archive, or what ScanReader was given. An
// error is that of in.
func (r *reader) stream(in io.Reader, size int64) error {
	head := make([]byte, headSize)
	n, err := readFull(in, head)
	if err != nil && err != io.EOF {
		return err
	}
	head = head[:n]
	kind := look(head)
	switch {
	case kind == nothing:
		return nil
	case kind == unread:
		r.isUnread(whatIsUnread(head), nil)
		return nil
	case kind.opens():
		at, _ := in.(io.ReaderAt)
		r.open(kind, io.MultiReader(bytes.NewReader(head), in), at, size)
		return nil
	}
	data, err := r.collect(kind, head, in, size)
	if data != nil { // of what ends in the middle, too
		r.inMemory(kind, data)
	}
	return err
}

// collect reads a file into memory; nil if nothing is in it. It says so if it is too large and
// there can be something in it.
func (r *reader) collect(kind contentKind, head []byte, in io.Reader, size int64) ([]byte, error) {
	limit := r.MaxFileSize - r.in.held
	if size > limit && kind != text {
		r.tooLarge(kind)
		return nil, nil
	}
	data := bytes.NewBuffer(head)
	if more := size - int64(len(head)); more > 0 && size <= limit {
		data.Grow(int(min(more, largeFile)) + bytes.MinRead)
	}
	_, err := data.ReadFrom(io.LimitReader(in, limit+1-int64(len(head))))
	r.hold(int64(data.Len()))
	if int64(data.Len()) <= limit {
		return data.Bytes(), err
	}
	found := kind != text || mentions(data.Bytes())
	rest := data.Bytes()[:min(data.Len(), chunk)] // which is not needed any more
	kept := 0
	for !found {
		n, err := readFull(in, rest[kept:])
		if found = mentions(rest[:kept+n]); err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		kept = copy(rest, rest[max(0, kept+n-maxMention):kept+n])
	}
	if found {
		r.tooLarge(kind)
	}
	return nil, nil
}
