package inventory

import (
	"bytes"
	"io"
)

// readOther reads what is not a file of the tree: its bytes come once.
func (r *reader) readOther(in io.Reader, size int64) {
	head := make([]byte, headSize)
	n, err := readFull(in, head)
	r.Progress.Bytes.Add(int64(n))
	if err != nil && err != io.EOF {
		r.trouble(&trouble{text: osText(err), cause: err})
		return
	}
	kind := look(head[:n])
	switch {
	case kind == nothing:
		return
	case size > r.MaxFileSize:
		r.tooLarge(kind)
		return
	}
	var data bytes.Buffer
	data.Write(head[:n])
	more, err := data.ReadFrom(io.LimitReader(in, r.MaxFileSize+1-int64(n)))
	r.Progress.Bytes.Add(more)
	switch {
	case err != nil:
		r.trouble(&trouble{text: osText(err), cause: err})
	case int64(data.Len()) > r.MaxFileSize:
		r.tooLarge(kind)
	default:
		r.inMemory(kind, data.Bytes())
	}
}

// inMemory reads what is in memory.
func (r *reader) inMemory(kind contentKind, data []byte) {
	wide := kind == utf16Text
	if wide {
		data, _ = io.ReadAll(newUTF16Reader(bytes.NewReader(data))) // which has no other errors than the end
	}
	r.contentOf(data, wide)
}
