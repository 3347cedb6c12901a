package crl

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// folder keeps what is in the CRL files of a folder. The zero value has none.
type folder struct {
	path       string
	maxBytes   int64
	unnumbered bool // lists without a CRL number are used

	current atomic.Pointer[folderContents]
}

// folderContents is never changed: a folder gets a new one.
type folderContents struct {
	files    []*folderFile                  // by name
	gone     []*folderFile                  // what is kept although it is no longer there
	byIssuer map[string][]*storedList       // by RawIssuer, the newest first
	signers  map[string][]*x509.Certificate // CA certificates, by RawSubject
	err      error                          // of reading the folder
}

type folderFile struct {
	path    string
	info    fs.FileInfo
	settled bool // no later change can have the same size and time
	lists   []*storedList
	certs   []*x509.Certificate
	err     error
}

const (
	// maxFiles bounds the CRL files of a folder: a year of CRLs, one a day, of
	// thirty CAs.
	maxFiles = 10_000
	// granularity is that of the coarsest clocks of file systems (FAT): two changes
	// within it can leave the same time behind.
	granularity = 2 * time.Second
)

// named returns the lists of CAs with the name of ca, unverified.
func (d *folder) named(ca *x509.Certificate) []*storedList {
	if c := d.current.Load(); c != nil {
		return c.byIssuer[string(ca.RawSubject)]
	}
	return nil
}

// open reads the folder for the first time.
func (d *folder) open() error {
	if d.path == "" {
		return nil
	}
	// The path is to mean the same when the program changes its folder.
	if abs, err := filepath.Abs(d.path); err == nil {
		d.path = abs
	}
	contents := d.read(nil)
	contents.index()
	d.current.Store(contents)
	return contents.err
}

// update reads what has changed.
func (d *folder) update(now time.Time, skew time.Duration, logger *slog.Logger) {
	old := d.current.Load()
	next := d.read(old)
	if next == old {
		return
	}
	if next.byIssuer == nil {
		next.keep(old, now, skew)
		next.index()
	}
	d.current.Store(next)
	d.report(logger, old)
}

// report logs files that cannot be read, or can again.
func (d *folder) report(logger *slog.Logger, old *folderContents) {
	before := map[string]string{}
	if old != nil {
		for path, err := range old.errors() {
			before[path] = err.Error()
		}
	}
	now := d.current.Load().errors()
	for path, err := range now {
		if before[path] != err.Error() {
			logger.Warn("crl: a file of CRLs cannot be used as it is", "path", path, "error", err)
		}
	}
	for path := range before {
		if now[path] == nil {
			logger.Info("crl: a file of CRLs can be used again, or is gone", "path", path)
		}
	}
}

// errors returns what is wrong, by path.
func (c *folderContents) errors() map[string]error {
	errs := map[string]error{}
	if c.err != nil {
		errs[""] = c.err
	}
	for _, f := range slices.Concat(c.files, c.gone) {
		if f.err != nil {
			errs[f.path] = f.err
		}
	}
	return errs
}

// read returns what is in the folder now: old itself if nothing has changed.
func (d *folder) read(old *folderContents) *folderContents {
	known := map[string]*folderFile{}
	if old != nil {
		for _, f := range old.files {
			known[f.path] = f
		}
	}
	next := &folderContents{}
	entries, err := os.ReadDir(d.path)
	changed := old == nil
	if err != nil {
		if old == nil {
			return &folderContents{err: err}
		}
		if old.err != nil && old.err.Error() == err.Error() {
			return old
		}
		// What was there stays in use until the folder can be read again.
		return &folderContents{files: old.files, gone: old.gone, byIssuer: old.byIssuer, signers: old.signers, err: err}
	}
	changed = changed || old.err != nil
	left := d.maxBytes * memoryFactor
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || !strings.EqualFold(filepath.Ext(name), ".crl") {
			continue
		}
		path := filepath.Join(d.path, name)
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			continue
		}
		if len(next.files) == maxFiles {
			next.err = fmt.Errorf("there are more than %d CRL files in it, and the others are not read", maxFiles)
			changed = changed || old.err == nil
			break
		}
		was := known[path]
		delete(known, path)
		f := was
		if was == nil || !was.settled || err != nil || !sameFile(was.info, info) {
			var other bool
			f, other = was.or(d.readFile(path, info, err, left))
			changed = changed || other
		}
		next.files = append(next.files, f)
		for _, l := range f.lists {
			left -= l.size
		}
	}
	if !changed && len(known) == 0 {
		return old
	}
	return next
}

// or returns what to use of a file that was read again, and whether that is other than was,
// which may be nil.
func (was *folderFile) or(f *folderFile) (use *folderFile, changed bool) {
	if was != nil && f.err != nil {
		f.lists, f.certs = was.lists, was.certs // until the file is whole
	}
	switch {
	case was == nil || !sameLists(was.lists, f.lists) || !slices.EqualFunc(was.certs, f.certs, (*x509.Certificate).Equal):
		return f, true
	case fmt.Sprint(was.err) != fmt.Sprint(f.err):
		f.lists = was.lists // which know their issuers
		return f, true
	}
	was.info, was.settled = f.info, f.settled
	return was, false
}

// index sorts the lists by issuer and date.
func (c *folderContents) index() {
	c.byIssuer = map[string][]*storedList{}
	c.signers = map[string][]*x509.Certificate{}
	for _, f := range slices.Concat(c.files, c.gone) {
		for _, cert := range f.certs {
			c.signers[string(cert.RawSubject)] = append(c.signers[string(cert.RawSubject)], cert)
		}
		for _, l := range f.lists {
			name := string(l.RawIssuer)
			c.byIssuer[name] = append(c.byIssuer[name], l)
		}
	}
	for _, lists := range c.byIssuer {
		slices.SortStableFunc(lists, func(a, b *storedList) int {
			switch {
			case a.newerThan(b):
				return -1
			case b.newerThan(a):
				return 1
			}
			return 0
		})
	}
}

func sameFile(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && a.Mode() == b.Mode()
}

// sameLists compares by what was signed.
func sameLists(a, b []*storedList) bool {
	return slices.EqualFunc(a, b, func(a, b *storedList) bool {
		return bytes.Equal(a.signature, b.signature) && bytes.Equal(a.signed, b.signed)
	})
}

// keep takes over lists that were in use, have not ended, and have no successor in
// the folder: to take a list away, or to put an older one in its place, is to undo
// revocations.
func (c *folderContents) keep(old *folderContents, now time.Time, skew time.Duration) {
	here := map[*storedList]bool{}
	byIssuer := map[string][]*storedList{}
	for _, f := range c.files {
		for _, l := range f.lists {
			here[l] = true
			byIssuer[string(l.RawIssuer)] = append(byIssuer[string(l.RawIssuer)], l)
		}
	}
	for _, f := range slices.Concat(old.files, old.gone) {
		for _, l := range f.lists {
			ca := l.madeBy()
			if here[l] || now.After(l.NextUpdate.Add(skew)) || ca == nil {
				continue
			}
			succeeds := func(next *storedList) bool {
				return next.verify(ca) == nil && !next.ThisUpdate.After(now.Add(skew)) &&
					next.sameScope(l) && !next.olderThan(l)
			}
			if !slices.ContainsFunc(byIssuer[string(l.RawIssuer)], succeeds) {
				c.gone = append(c.gone, &folderFile{path: f.path, lists: []*storedList{l}, err: errGone})
			}
		}
	}
}

var errGone = errors.New("this CRL is no longer in the folder and has no successor there; it stays in use until it ends")

// unread says so if there may be lists in the folder that could not be read.
func (d *folder) unread() error {
	c := d.current.Load()
	if c == nil {
		return nil
	}
	if c.err != nil {
		return fmt.Errorf("folder: %w", c.err)
	}
	for _, f := range c.files {
		if f.err != nil && len(f.lists) == 0 {
			return fmt.Errorf("%s cannot be used as it is: %w", f.path, f.err)
		}
	}
	return nil
}

// lacks says why the folder has no list of a CA, or nil where there is no folder and
// where unread says it.
func (d *folder) lacks(ca *x509.Certificate) error {
	c := d.current.Load()
	if d.path == "" || c == nil {
		return nil
	}
	const most = 3
	var found []string
	for _, l := range c.byIssuer[string(ca.RawSubject)] {
		if err := l.verify(ca); err != nil {
			found = append(found, fmt.Sprintf("%s has the name of the issuer, but %s", l.origin, err))
		}
		if len(found) == most {
			break
		}
	}
	if len(found) > 0 {
		return errors.New(strings.Join(found, "; "))
	}
	if d.unread() != nil {
		return nil
	}
	lists := 0
	for _, of := range c.byIssuer {
		lists += len(of)
		found = append(found, safetext.CA(of[0].Issuer))
	}
	if lists == 0 {
		return errors.New("there is none in the folder")
	}
	slices.Sort(found)
	if len(found) > most {
		found = append(found[:most], "others")
	}
	return fmt.Errorf("there is none in the folder by %s, but %d by %s", safetext.CA(ca.Subject), lists, strings.Join(found, ", "))
}

// readFile reads the lists of a file.
func (d *folder) readFile(path string, info fs.FileInfo, err error, limit int64) *folderFile {
	f := &folderFile{path: path, info: info, err: err}
	if err != nil {
		return f
	}
	f.settled = time.Since(info.ModTime()) > granularity
	if !info.Mode().IsRegular() {
		f.err = errors.New("it is not a regular file")
		return f
	}
	data, err := readUpTo(path, min(limit, d.maxBytes))
	if err != nil {
		// There may be room for it next time, or a right to read it, and the file
		// looks the same.
		f.err, f.settled = err, false
		return f
	}
	if f.lists, f.certs, f.err = parseAll(data, path); f.err != nil {
		return f
	}
	for _, l := range f.lists {
		if err := numbered(l.List, d.unnumbered); err != nil {
			f.lists, f.certs, f.err = nil, nil, err
			break
		}
	}
	return f
}

func readUpTo(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	limit = max(limit, 0)
	tooLarge := fmt.Errorf("it has more than the %d bytes that are left of what Config.MaxBytes allows", limit)
	if info.Size() > limit {
		return nil, tooLarge
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, tooLarge
	}
	return data, nil
}

// parseAll reads a list in DER, or any number of them in PEM, between which there
// may be other text, and certificates, of which it returns those of CAs.
func parseAll(data []byte, origin string) ([]*storedList, []*x509.Certificate, error) {
	begin := []byte("-----BEGIN X509 CRL-----")
	if bytes.HasPrefix(data, []byte{0x30}) || !bytes.Contains(data, begin) {
		l, err := Parse(data)
		if err != nil {
			return nil, nil, err
		}
		return []*storedList{newStoredList(l, data, origin, nil)}, nil, nil
	}
	want := bytes.Count(data, begin)
	var lists []*storedList
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			if cert, err := x509.ParseCertificate(block.Bytes); err == nil && cert.BasicConstraintsValid && cert.IsCA {
				certs = append(certs, cert)
			}
			continue
		}
		if block.Type != "X509 CRL" {
			continue
		}
		l, err := Parse(block.Bytes)
		if err != nil {
			return nil, nil, fmt.Errorf("list %d of the file: %w", len(lists)+1, err)
		}
		lists = append(lists, newStoredList(l, block.Bytes, origin, nil))
	}
	if len(lists) != want {
		return nil, nil, fmt.Errorf("of %d PEM blocks only %d are whole", want, len(lists))
	}
	return lists, certs, nil
}
