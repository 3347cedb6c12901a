package pkioverheid

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/quote"
)

// hostNames returns exact host names in lower case. field is where they were set.
func hostNames(field string, hosts []string) ([]string, error) {
	var names []string
	for _, host := range hosts {
		for _, r := range host {
			switch {
			case r > 0x7f:
				return nil, fmt.Errorf("pkioverheid: %s: %s is not in ASCII: write its xn-- form", field, quote.Text(host))
			case r == ':':
				return nil, fmt.Errorf("pkioverheid: %s: %s has a port, and TLS sessions are kept by host name: write it without", field, quote.Text(host))
			case !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", r):
				return nil, fmt.Errorf("pkioverheid: %s: %s is not a host name: write one for each host, without wildcards, scheme and path", field, quote.Text(host))
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
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.proxy != "" && a.handshakes%2 == 0 { // the proxy's own comes first
		return a.proxy
	}
	return a.host
}

// meantFor reports whether the pair may be shown to a host.
func (p ownPair) meantFor(host string) bool {
	return len(p.hosts) == 0 || slices.Contains(p.hosts, host)
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
				return nil, fmt.Errorf("pkioverheid: %s: %s has a port that is not a number", field, quote.Text(host))
			}
		}
		names, err := hostNames(field, []string{name})
		if err != nil {
			return nil, err
		}
		if _, err := netip.ParseAddr(name); err == nil {
			return nil, fmt.Errorf("pkioverheid: %s: %s is an address and not a host name", field, quote.Text(host))
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
