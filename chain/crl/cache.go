package crl

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// cache is a folder with a file for each source, which has the list as it was
// fetched. Nothing in it is believed without its signature, and that its issuer
// may have made a newer one is found out right after it is read.
type cache struct {
	path     string
	maxBytes int64
}

// tempPrefix is what the names of files that truststore.ReplaceFile did not finish
// begin with.
const tempPrefix = ".truststore-"

// A cache has at most maxCached files, which take cacheFactor times MaxBytes together.
const (
	maxCached   = 256
	cacheFactor = 4 * memoryFactor
)

// cacheName is what the names of the files end with.
var cacheName = regexp.MustCompile(`-[0-9a-f]{32}\.crl$`)

func openCache(path string, maxBytes int64) (*cache, error) {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, err
	}
	c := &cache{path, maxBytes}
	return c, c.prune(nil)
}

// prune removes what was not used for longest beyond what one Checker would have, and
// files that were never finished. Those that are in use stay.
func (c *cache) prune(inUse map[string]bool) error {
	entries, err := os.ReadDir(c.path)
	if err != nil {
		return err
	}
	type file struct {
		name string
		time time.Time
		size int64
	}
	var files []file
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		switch name := e.Name(); {
		case cacheName.MatchString(name):
			files = append(files, file{name, info.ModTime(), info.Size()})
		case strings.HasPrefix(name, tempPrefix) && time.Since(info.ModTime()) > time.Hour:
			os.Remove(filepath.Join(c.path, name))
		}
	}
	slices.SortFunc(files, func(a, b file) int {
		if inUse[a.name] != inUse[b.name] {
			if inUse[a.name] {
				return -1
			}
			return 1
		}
		return b.time.Compare(a.time)
	})
	var size int64
	for i, f := range files {
		size += min(f.size, c.maxBytes)
		if !inUse[f.name] && (i >= maxCached || size > c.maxBytes*cacheFactor) {
			os.Remove(filepath.Join(c.path, f.name))
		}
	}
	return nil
}

// name is that of a source's file: the host for people, and the hash of what makes
// the source.
func (c *cache) name(src *source) string {
	h := sha256.New()
	ca := src.authority.cert
	fmt.Fprintf(h, "%q %x %x %x", src.url, ca.RawSubject, chain.KeyHash(ca), ca.SubjectKeyId)
	host := "crl"
	if u, err := url.Parse(src.url); err == nil {
		host = strings.Map(func(r rune) rune {
			if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '.' || r == '-' {
				return r
			}
			return -1
		}, strings.ToLower(u.Hostname()))
		host = strings.TrimLeft(host[:min(len(host), 64)], ".-")
	}
	return fmt.Sprintf("%s-%x.crl", host, h.Sum(nil)[:16])
}

// read returns the file of a source, nil if there is none.
func (c *cache) read(src *source) ([]byte, error) {
	path := filepath.Join(c.path, c.name(src))
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	c.touch(src)
	return readUpTo(path, c.maxBytes)
}

// touch notes that the file of a source is in use. It is false if there is none.
func (c *cache) touch(src *source) bool {
	now := time.Now()
	return !errors.Is(os.Chtimes(filepath.Join(c.path, c.name(src)), now, now), fs.ErrNotExist)
}

// write replaces the file of a source, and a link or a pipe in its place: the folder is for
// the cache alone.
func (c *cache) write(src *source, data []byte) error {
	path := filepath.Join(c.path, c.name(src))
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	err := truststore.ReplaceFile(path, data)
	if errors.Is(err, fs.ErrNotExist) { // somebody tidied up
		if err = os.MkdirAll(c.path, 0o755); err == nil {
			err = truststore.ReplaceFile(path, data)
		}
	}
	return err
}
