package pkioverheid

import (
	"context"
	"fmt"
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
