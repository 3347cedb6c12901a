package pkioverheid

import (
	"fmt"
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
		if slices.Contains(strings.Split(host, "."), "") {
			return nil, fmt.Errorf("pkioverheid: %s: %s has a dot at an end, or two in a row: write each host in full, without", field, safetext.Quote(host))
		}
		names = append(names, strings.ToLower(host))
	}
	return names, nil
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

// hasName reports whether a host is listed, with any port.
func (l hostList) hasName(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(l, func(listed string) bool {
		listed, _, _ = strings.Cut(listed, ":")
		return listed == name
	})
}
