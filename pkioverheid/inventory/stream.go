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

// collect reads a file into memory; nil if it is too large: it is text that was read in
// parts then, or that is reported.
func (r *reader) collect(kind contentKind, head []byte, in io.Reader, size int64) ([]byte, error) {
	limit, streamed := r.limitOf(kind, head)
	inParts := func(begin io.Reader) ([]byte, error) {
		all, wide := io.MultiReader(begin, in), kind == utf16Text
		if wide {
			all = newUTF16Reader(all)
		}
		return nil, r.inParts(all, wide)
	}
	switch {
	case size <= limit:
	case streamed:
		return inParts(bytes.NewReader(head))
	default:
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
	if streamed {
		return inParts(data)
	}
	r.tooLarge(kind)
	return nil, nil
}
