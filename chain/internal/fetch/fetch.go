// Package fetch gets small files over HTTP from addresses that somebody else
// chose: the URLs in a certificate. A hostile certificate must not make us ask
// for something inside our own network, follow redirects there, wait for ever or
// fill the memory.
package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

const (
	// DefaultTimeout and DefaultMaxBytes are what the zero values in a [Config]
	// mean.
	DefaultTimeout  = 10 * time.Second
	DefaultMaxBytes = 1 << 20

	// maxURL bounds a URL. Real ones have less than a hundred characters.
	maxURL = 2048
	// maxHeader bounds the header of a response.
	maxHeader = 64 << 10
)

// ErrNotAllowed is in the errors about a URL, a redirect or an address that is
// refused, whatever the server would say: asking again does not help.
var ErrNotAllowed = errors.New("not allowed")

// Config says what may be fetched, how, and how much of it. Its fields are those of
// crl.Config, which documents them; only the defaults are this package's.
type Config struct {
	Client       *http.Client  // nil: one with the proxy of the environment
	Hosts        []string      // none: nothing may be fetched
	AllowPrivate bool          // see public
	Timeout      time.Duration // of one fetch, the redirect included; zero: DefaultTimeout
	MaxBytes     int64         // of a body; zero: DefaultMaxBytes
}

// Fetcher gets what its Config allows. It is safe for concurrent use.
type Fetcher struct {
	transport http.RoundTripper
	own       *http.Transport // the same, if it was made here
	hosts     map[string]bool
	anyHost   bool
	private   bool
	timeout   time.Duration
	maxBytes  int64
}

// New returns a Fetcher. It starts nothing. An entry of Hosts that no URL can
// match is an error, and so is a negative limit.
func New(cfg Config) (*Fetcher, error) {
	f := &Fetcher{hosts: make(map[string]bool, len(cfg.Hosts)), private: cfg.AllowPrivate, timeout: cfg.Timeout, maxBytes: cfg.MaxBytes}
	if cfg.Timeout < 0 || cfg.MaxBytes < 0 {
		return nil, errors.New("fetch: a time or size limit is negative: zero means the default")
	}
	if f.timeout == 0 {
		f.timeout = DefaultTimeout
	}
	if f.maxBytes == 0 {
		f.maxBytes = DefaultMaxBytes
	}
	for _, host := range cfg.Hosts {
		if host == "*" {
			f.anyHost = true
			continue
		}
		name, port, err := splitHost(host)
		if err != nil {
			return nil, fmt.Errorf("fetch: %s among the allowed hosts: %w: give a name like \"host.example\", or one with its port, \"host.example:8080\", and no URL", safetext.Quote(host), err)
		}
		if port == "" {
			f.hosts[name] = true
		} else {
			f.hosts[net.JoinHostPort(name, port)] = true
		}
	}
	var base http.RoundTripper
	if cfg.Client != nil {
		if t := cfg.Client.Timeout; t > 0 && t < f.timeout {
			f.timeout = t
		}
		if base = cfg.Client.Transport; base == nil {
			base = http.DefaultTransport
		}
	}
	switch t := base.(type) {
	case nil:
		f.own = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			TLSHandshakeTimeout: f.timeout,
			IdleConnTimeout:     time.Minute,
			MaxIdleConnsPerHost: 2,
		}
		f.guard(f.own)
	case *http.Transport:
		f.own = t.Clone()
		f.guard(f.own)
	default:
		f.transport = base
	}
	if f.own != nil {
		f.transport = f.own
	}
	return f, nil
}

// Response is what a server answered.
type Response struct {
	Status int         // 200 or 304
	Header http.Header // of the response
	Body   []byte      // nil if NotModified

	// NotModified says that the server has nothing newer than what the header of
	// the request named (If-None-Match or If-Modified-Since).
	NotModified bool
}

// StatusError is in the error about a response with another status than those of
// a [Response].
type StatusError struct {
	Status int
	Header http.Header // such as Retry-After
}

func (e *StatusError) Error() string {
	text := http.StatusText(e.Status)
	if text == "" {
		return fmt.Sprintf("the server answers with status %d", e.Status)
	}
	return fmt.Sprintf("the server answers %d %s", e.Status, text)
}

// Get fetches a URL with a GET request. It sends header along, which may be nil,
// also after a redirect. One redirect is followed, from http to https and to a
// host that is allowed; every other is an error. The body is as the server sent
// it: a compressed one is not asked for, and is an error.
//
// Errors quote the URL, shortened, and the proxy without its password. errors.Is finds
// ctx's error and [ErrNotAllowed], errors.As a *[StatusError].
func (f *Fetcher) Get(ctx context.Context, rawURL string, header http.Header) (*Response, error) {
	within, cancel := context.WithTimeoutCause(ctx, f.timeout, fmt.Errorf("no complete answer within %v: %w", f.timeout, context.DeadlineExceeded))
	defer cancel()
	var proxy string // that was last used
	res, err := f.get(within, rawURL, header, &proxy)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		} else if within.Err() != nil {
			err = context.Cause(within)
		}
		return nil, &failure{rawURL, proxy, err}
	}
	return res, nil
}

func (f *Fetcher) get(ctx context.Context, rawURL string, header http.Header, proxy *string) (*Response, error) {
	u, err := f.check(rawURL)
	if err != nil {
		return nil, err
	}
	res, err := f.roundTrip(ctx, u, header, proxy)
	if err != nil {
		return nil, err
	}
	if isRedirect(res.StatusCode) {
		res.Body.Close() // unread: the connection is not worth waiting for
		to, err := f.redirect(u, res.Header.Get("Location"))
		if err != nil {
			return nil, fmt.Errorf("the server redirects to %s: %w", safetext.Quote(res.Header.Get("Location")), err)
		}
		if res, err = f.roundTrip(ctx, to, header, proxy); err != nil {
			return nil, fmt.Errorf("redirected to %s: %w", safetext.Quote(to.String()), err)
		}
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotModified && (header.Get("If-None-Match") != "" || header.Get("If-Modified-Since") != ""):
		return &Response{Status: res.StatusCode, Header: res.Header, NotModified: true}, nil
	case isRedirect(res.StatusCode):
		return nil, fmt.Errorf("the server redirects from https, which is not followed: %w", ErrNotAllowed)
	case res.StatusCode != http.StatusOK:
		return nil, &StatusError{res.StatusCode, res.Header}
	}
	if coding := res.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") || res.Uncompressed {
		return nil, fmt.Errorf("the server compresses what it sends (%s), unasked", safetext.Quote(coding))
	}
	body, err := f.read(res)
	if err != nil {
		return nil, err
	}
	return &Response{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

// Close closes connections that are not in use, but not those of a RoundTripper
// that is the caller's. The Fetcher can still be used.
func (f *Fetcher) Close() {
	if f.own != nil {
		f.own.CloseIdleConnections()
	}
}

// roundTrip sets proxy to the one that was used.
func (f *Fetcher) roundTrip(ctx context.Context, u *url.URL, header http.Header, proxy *string) (*http.Response, error) {
	used := new(usedProxy)
	req, err := http.NewRequestWithContext(context.WithValue(ctx, proxyKey{}, used), http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	// A Transport that is not asked for gzip by us asks for it itself, and
	// unpacks it: a hundred bytes would become a hundred thousand.
	req.Header.Set("Accept-Encoding", "identity")
	res, err := f.transport.RoundTrip(req)
	*proxy = used.String()
	if err != nil {
		return nil, err
	}
	if res == nil {
		return nil, errors.New("the client's RoundTripper returned nothing")
	}
	if res.Body == nil { // as http.Client has it
		res.Body = http.NoBody
	}
	return res, nil
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect, http.StatusMultipleChoices:
		return true
	}
	return false
}

// redirect returns where a response leads, if that is followed: the one redirect
// that a server of CA certificates has reason for is that to its https side.
func (f *Fetcher) redirect(from *url.URL, location string) (*url.URL, error) {
	if location == "" || len(location) > maxURL {
		return nil, errors.New("no location, or one that is too long")
	}
	to, err := from.Parse(location)
	if err != nil {
		return nil, errMalformed
	}
	if from.Scheme != "http" || to.Scheme != "https" {
		return nil, fmt.Errorf("a redirect is followed from http to https only: %w", ErrNotAllowed)
	}
	return f.check(to.String())
}

// read reads a body up to the limit.
func (f *Fetcher) read(res *http.Response) ([]byte, error) {
	if res.ContentLength > f.maxBytes {
		return nil, f.tooLarge()
	}
	var body bytes.Buffer
	// What a server announces is believed up to a megabyte, until it comes.
	body.Grow(int(min(max(res.ContentLength, 0)+bytes.MinRead, 1<<20)))
	n, err := body.ReadFrom(io.LimitReader(res.Body, f.maxBytes))
	if err != nil {
		return nil, fmt.Errorf("the answer breaks off after %d bytes: %w", n, err)
	}
	if n == f.maxBytes {
		if more, _ := io.ReadFull(res.Body, make([]byte, 1)); more > 0 {
			return nil, f.tooLarge()
		}
	}
	return body.Bytes(), nil
}

func (f *Fetcher) tooLarge() error {
	return fmt.Errorf("the answer has more than %d bytes", f.maxBytes)
}

// notAllowed is an ErrNotAllowed in words of its own.
type notAllowed string

func (e notAllowed) Error() string { return string(e) }

func (e notAllowed) Unwrap() error { return ErrNotAllowed }

const errMalformed = notAllowed("this is not a URL of a file on a server")

// check parses a URL and says whether it may be fetched, as far as that can be
// distinguished from what is written in it.
func (f *Fetcher) check(rawURL string) (*url.URL, error) {
	if len(rawURL) > maxURL {
		return nil, fmt.Errorf("it has more than %d characters: %w", maxURL, ErrNotAllowed)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errMalformed // url's error repeats it
	}
	defaultPort := ""
	switch u.Scheme {
	case "http":
		defaultPort = "80"
	case "https":
		defaultPort = "443"
	default:
		return nil, fmt.Errorf("only http and https URLs are fetched: %w", ErrNotAllowed)
	}
	if u.Opaque != "" || u.Host == "" {
		return nil, errMalformed
	}
	if u.User != nil {
		return nil, fmt.Errorf("there is a user name or a password in it: %w", ErrNotAllowed)
	}
	name, port, err := splitHost(u.Host)
	if err != nil {
		return nil, fmt.Errorf("host %s: %w", safetext.Quote(u.Host), err)
	}
	standard := port == "" || port == defaultPort
	if port == "" {
		port = defaultPort
	}
	if !f.anyHost && !(standard && f.hosts[name]) && !f.hosts[net.JoinHostPort(name, port)] {
		return nil, fmt.Errorf("host %s is not among those that may be asked: %w", safetext.Quote(u.Host), ErrNotAllowed)
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		if err := f.checkAddr(addr); err != nil {
			return nil, err
		}
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

const errMalformedHost = notAllowed("this is neither a host name nor an address")

// splitHost takes apart a host with or without a port, and refuses what a program
// further on could take for another host than we do.
func splitHost(host string) (name, port string, err error) {
	name = host
	if bracketed, ok := strings.CutPrefix(host, "["); ok {
		var rest string
		if name, rest, ok = strings.Cut(bracketed, "]"); !ok || !strings.Contains(name, ":") {
			return "", "", errMalformedHost
		}
		if rest != "" {
			if port, ok = strings.CutPrefix(rest, ":"); !ok {
				return "", "", errMalformedHost
			}
		}
	} else if strings.Count(host, ":") == 1 {
		name, port, _ = strings.Cut(host, ":")
		if port == "" {
			return "", "", errMalformedHost
		}
	}
	if port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '0' {
			return "", "", notAllowed("this is not a port")
		}
	}
	name = strings.ToLower(name)
	if addr, err := netip.ParseAddr(name); err == nil {
		if addr.Zone() != "" {
			return "", "", notAllowed("an address with a zone")
		}
		return addr.String(), port, nil
	}
	if !plainName(name) {
		return "", "", errMalformedHost
	}
	return name, port, nil
}

// plainName takes names of letters, digits, hyphens, underscores and dots. Of a
// name whose last label is a number, resolvers make an address ("127.1").
func plainName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for _, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	last := strings.TrimSuffix(name, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	return last != "" && (last[0] < '0' || last[0] > '9')
}

// failure is the error of Get: one line, whatever a server said.
type failure struct {
	url   string
	proxy string // empty for none
	err   error
}

func (e *failure) Error() string {
	through := ""
	if e.proxy != "" {
		through = " through the proxy " + safetext.Quote(e.proxy)
	}
	return "fetch " + safetext.Quote(e.url) + through + ": " + safetext.Printable(e.err.Error(), safetext.MostError)
}

func (e *failure) Unwrap() error { return e.err }
