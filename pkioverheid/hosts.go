package pkioverheid

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// hostNames returns exact host names in lower case. field is where they were set.
func hostNames(field string, hosts []string) ([]string, error) {
	var names []string
	for _, host := range hosts {
		for _, r := range host {
			switch {
			case r > 0x7f:
				return nil, fmt.Errorf("pkioverheid: %s: %s is not in ASCII: write its xn-- form", field, safetext.Quote(host))
			case r == ':':
				return nil, fmt.Errorf("pkioverheid: %s: %s has a port, and TLS sessions are kept by host name: write it without", field, safetext.Quote(host))
			case !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", r):
				return nil, fmt.Errorf("pkioverheid: %s: %s is not a host name: write one for each host, without wildcards, scheme and path", field, safetext.Quote(host))
			}
		}
		if host == "" {
			return nil, fmt.Errorf("pkioverheid: %s holds an empty host name", field)
		}
		names = append(names, strings.ToLower(host))
	}
	return names, nil
}

// hostOf returns with whom the handshake is to which a [Transport] gave the context, in
// lower case. It is empty where that is not known.
func hostOf(ctx context.Context) string {
	a, ok := ctx.Value(attemptKey{}).(*attempt)
	if !ok {
		return ""
	}
	if !a.httpsProxy() {
		return a.host
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.severalDials:
		return ""
	case a.dialled == 0: // the proxy's own handshake comes first
		return hostName(a.proxy)
	}
	return a.host
}

// httpsProxy reports whether the proxy has a handshake of its own.
func (a *attempt) httpsProxy() bool { return a.proxy != nil && a.proxy.Scheme == "https" }

// askedProxy is http.Transport.Proxy: what the Base's said about the request.
func askedProxy(req *http.Request) (*url.URL, error) {
	if a, ok := req.Context().Value(attemptKey{}).(*attempt); ok {
		return a.proxy, a.proxyErr
	}
	return nil, errors.New("pkioverheid: it is not known by which proxy to call")
}

// dial records that a connection is dialled for the attempt, and dialEnds that this failed.
// net/http may dial another one while it still waits for the first.
func (a *attempt) dial() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.severalDials = a.severalDials || a.dialling
	a.dialling, a.dialled = true, 0
}

// handshakeEnds records that one of a connection's handshakes is complete.
func (a *attempt) handshakeEnds() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dialled++
	a.dialling = a.dialling && a.httpsProxy() && a.dialled < 2
}

func (a *attempt) dialEnds() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dialling = false
}

// pairsFor returns the pairs that may be shown to a host, with their places: none to one
// that is not known, where a pair is for some hosts only.
func (c *clientState) pairsFor(host string) iter.Seq2[int, *tls.Certificate] {
	return func(yield func(int, *tls.Certificate) bool) {
		if host == "" && c.bound() {
			return
		}
		for i, p := range c.pairs {
			if (len(p.hosts) == 0 || slices.Contains(p.hosts, host)) && !yield(i, p.Certificate) {
				return
			}
		}
	}
}

// bound reports whether a pair is for some hosts only.
func (c *clientState) bound() bool {
	return slices.ContainsFunc(c.pairs, func(p ownPair) bool { return len(p.hosts) > 0 })
}

func hostName(u *url.URL) string { return strings.ToLower(u.Hostname()) }

// hostList is exact host names in lower case, each with or without a port.
type hostList []string

// newHostList reads the hosts of a field.
func newHostList(field string, hosts []string) (hostList, error) {
	var list hostList
	for _, host := range hosts {
		name, port := host, ""
		if i := strings.LastIndexByte(host, ':'); i >= 0 {
			name, port = host[:i], host[i:]
			if len(port) == 1 || strings.Trim(port[1:], "0123456789") != "" {
				return nil, fmt.Errorf("pkioverheid: %s: %s has a port that is not a number", field, safetext.Quote(host))
			}
		}
		names, err := hostNames(field, []string{name})
		if err != nil {
			return nil, err
		}
		if _, err := netip.ParseAddr(name); err == nil {
			return nil, fmt.Errorf("pkioverheid: %s: %s is an address and not a host name", field, safetext.Quote(host))
		}
		list = append(list, names[0]+port)
	}
	return list, nil
}

// has reports whether a URL is of one of the hosts.
func (l hostList) has(u *url.URL) bool {
	if len(l) == 0 {
		return false
	}
	name, port := hostName(u), u.Port()
	if port == "" {
		port = "443"
	}
	return slices.Contains(l, name) || slices.Contains(l, name+":"+port)
}
