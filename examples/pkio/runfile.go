package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// maxRunFile bounds the file of a run, of which one certificate is in memory at a time.
const maxRunFile = 1 << 30

// runFile is a run or a report in a file, read certificate by certificate. A machine that
// somebody else controls may have written it: its texts are made printable.
type runFile struct {
	path string
	head runHead
}

// runHead is what comes before the certificates.
type runHead struct {
	Version int
	Run     auditRun
	Summary summary
	Runs    []fleetRun // in a report these come last
}

// machine is the name of the machine, or of the file if it has none, as in a report.
func (f *runFile) machine() string {
	return cmp.Or(f.head.Run.Machine, safetext.Printable(f.path, maxPath))
}

// isReport reports whether it is one of many machines, which are in its places. That is
// known when all was read.
func (f *runFile) isReport() bool { return len(f.head.Runs) > 0 }

var errNotARun = errors.New("it is not a run of pkio audit --json or --save")

// readHead reads what comes before the certificates.
func readHead(path string) (*runFile, error) {
	f := &runFile{path: path}
	err := f.read(func(*certificate) error { return errEnough }, nil)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return f, err
}

var errEnough = errors.New("enough was read")

func (f *runFile) open() (io.ReadCloser, error) {
	if isStdin(f.path) {
		err := keepStdin() // it is read twice
		return io.NopCloser(bytes.NewReader(stdin.data)), err
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		file.Close()
		return nil, errors.Join(err, errNotARun)
	}
	return file, nil
}

// read calls take with each certificate, and lost with each place that was not looked at.
// An error of theirs ends it.
func (f *runFile) read(take func(*certificate) error, lost func(notRead) error) error {
	in, err := f.open()
	if err != nil {
		return err
	}
	defer in.Close()
	dec := newRunDecoder(io.LimitReader(in, maxRunFile), maxElement)
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return errNotARun
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		switch name {
		case "version":
			err = dec.Decode(&f.head.Version)
			if err == nil && f.head.Version != formatVersion {
				return nil // what follows is not known
			}
		case "run":
			err = dec.Decode(&f.head.Run)
			clean(reflect.ValueOf(&f.head.Run))
		case "summary":
			err = dec.Decode(&f.head.Summary)
		case "runs":
			err = dec.Decode(&f.head.Runs)
			clean(reflect.ValueOf(&f.head.Runs))
		case "certificates":
			if f.head.Version == 0 {
				return errNotARun
			}
			err = eachOf(dec, func(c *certificate) error {
				if c.Do.Grade() < 0 || c.Otherwise != nil && c.Otherwise.Do.Grade() < 0 || !isFingerprint(c.SHA256) || len(c.Places) == 0 {
					return errNotARun
				}
				clean(reflect.ValueOf(c))
				return take(c)
			})
		case "notRead":
			if lost == nil {
				return nil
			}
			err = eachOf(dec, func(n *notRead) error {
				clean(reflect.ValueOf(n))
				return lost(*n)
			})
		default:
			var other json.RawMessage
			err = dec.Decode(&other)
		}
		if err != nil {
			return err
		}
	}
	if f.head.Version == 0 {
		return errNotARun
	}
	_, err = dec.Token()
	return err
}

// maxElement bounds what is in memory of a file at a time: a certificate that pkio writes
// has some kilobyte, and one with 200,000 places is in it.
const maxElement = 64 << 20

var errTooLarge = errors.New("a part of it is larger than those that pkio writes: what it has up to there counts")

// runDecoder decodes JSON of which each value that is decoded is of at most so many bytes.
type runDecoder struct {
	*json.Decoder
	in *boundedReader
}

func newRunDecoder(in io.Reader, most int) *runDecoder {
	b := &boundedReader{in: bufio.NewReaderSize(in, 64<<10), most: most}
	return &runDecoder{json.NewDecoder(b), b}
}

func (d *runDecoder) Decode(v any) error {
	d.in.read = 0
	return d.Decoder.Decode(v)
}

func (d *runDecoder) Token() (json.Token, error) {
	d.in.read = 0
	return d.Decoder.Token()
}

// boundedReader reads at most so many bytes between two values.
type boundedReader struct {
	in         io.Reader
	read, most int
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.read >= b.most {
		return 0, errTooLarge
	}
	n, err := b.in.Read(p[:min(len(p), b.most-b.read)])
	b.read += n
	return n, err
}

// isFingerprint reports whether a text is a SHA-256 as pkio writes it: it becomes part of
// other texts as it is.
func isFingerprint(s string) bool {
	sum, err := truststore.ParseFingerprint(s)
	return err == nil && sum.String() == s
}

// eachOf reads a list, one element at a time.
func eachOf[T any](dec *runDecoder, take func(*T) error) error {
	if token, err := dec.Token(); err != nil || token != json.Delim('[') {
		return errNotARun
	}
	for dec.More() {
		element := new(T)
		if err := dec.Decode(element); err != nil {
			return err
		}
		if err := take(element); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// clean makes the texts in v printable, and bounds them.
func clean(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			clean(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				clean(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			clean(v.Index(i))
		}
	case reflect.String:
		if s := v.String(); !isPlain(s) {
			v.SetString(safetext.Printable(s, maxPath))
		}
	}
}

// isPlain reports whether a text is short and of printable ASCII, as most are.
func isPlain(s string) bool {
	if len(s) > maxPath {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// problemOf says in words what is wrong with the file of a run.
func problemOf(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var date *time.ParseError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "it is cut off: what it has up to there counts"
	case errors.As(err, &syntax):
		return "it is damaged: what it has up to there counts"
	case errors.As(err, &kind), errors.As(err, &date):
		return errNotARun.Error()
	}
	return told(err)
}

// loadRun reads a whole run or report, for a comparison.
func loadRun(path string) (*audit, error) {
	f := &runFile{path: path}
	a := &audit{}
	err := f.read(func(c *certificate) error {
		a.Certificates = append(a.Certificates, c)
		return nil
	}, func(n notRead) error {
		a.NotRead = append(a.NotRead, n)
		return nil
	})
	a.Version, a.Run, a.Runs = f.head.Version, f.head.Run, f.head.Runs
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %s", safetext.Printable(path, 300), problemOf(err))
	case a.Version != formatVersion:
		return nil, fmt.Errorf("%s: %s", safetext.Printable(path, 300), versionProblem(a.Version))
	}
	slices.SortFunc(a.Certificates, (*certificate).Compare)
	return a, nil
}

func versionProblem(version int) string {
	if version > formatVersion {
		return fmt.Sprintf("it is of a newer pkio (version %d of the format): update pkio here", version)
	}
	return fmt.Sprintf("it is of an older pkio (version %d of the format): run pkio audit there again", version)
}
