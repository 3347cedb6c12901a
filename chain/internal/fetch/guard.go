package fetch

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
)

// guard makes a transport connect to allowed addresses only. It looks at what is
// dialled and not at what a name is looked up to before: the next look-up may say
// something else.
func (f *Fetcher) guard(t *http.Transport) {
	if t.MaxResponseHeaderBytes == 0 || t.MaxResponseHeaderBytes > maxHeader {
		t.MaxResponseHeaderBytes = maxHeader
	}
	if proxy := t.Proxy; proxy != nil {
		t.Proxy = func(req *http.Request) (*url.URL, error) {
			u, err := proxy(req)
			if used, ok := req.Context().Value(proxyKey{}).(*usedProxy); ok {
				used.Store(u)
			}
			return u, err
		}
	}
	if dial := t.DialContext; dial != nil {
		t.DialContext = f.guarded(dial)
	} else {
		t.DialContext = (&net.Dialer{
			// A dial outlives the request that began it, for the next one.
			Timeout: f.timeout,
			ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
				return f.checkDialled(ctx, address)
			},
		}).DialContext
	}
	t.DialTLS = nil //lint:ignore SA1019 it would be used before DialContext, unguarded
	if dial := t.DialTLSContext; dial != nil {
		t.DialTLSContext = f.guarded(dial)
	}
}

// guarded closes what the caller's dial function connected to, if that is refused.
func (f *Fetcher) guarded(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil || conn == nil {
			return conn, err
		}
		remote := ""
		if addr := conn.RemoteAddr(); addr != nil {
			remote = addr.String()
		}
		if err := f.checkDialled(ctx, remote); err != nil {
			conn.Close()
			return nil, err
		}
		return conn, nil
	}
}

// proxyKey is the key of a *usedProxy in a request's context. The transport asks for the
// proxy before it dials, and hands the values of the context to the dial function.
type proxyKey struct{}

// usedProxy is the proxy that a request's connection is to; nil for none. A dial may
// outlive its request.
type usedProxy struct{ atomic.Pointer[url.URL] }

// String is without a password.
func (p *usedProxy) String() string {
	u := p.Load()
	if u == nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func (f *Fetcher) checkDialled(ctx context.Context, address string) error {
	if f.private {
		return nil
	}
	if used, ok := ctx.Value(proxyKey{}).(*usedProxy); ok && used.Load() != nil {
		return nil // the operator's own proxy
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("connected to something that is not an Internet address: %w", ErrNotAllowed)
	}
	return f.checkAddr(at.Addr())
}

func (f *Fetcher) checkAddr(addr netip.Addr) error {
	if f.private || public(addr) {
		return nil
	}
	return fmt.Errorf("%s is not an address of the public Internet, and private ones are not allowed here: %w", addr, ErrNotAllowed)
}

// public reports whether an address is one of the Internet at large.
func public(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return false // also loopback, link-local, unspecified, multicast and broadcast
	}
	for _, reserved := range special() {
		if reserved.Contains(addr) {
			return false
		}
	}
	if addr.Is4() {
		return true
	}
	b := addr.As16()
	switch {
	case [12]byte(b[:12]) == [12]byte{0x00, 0x64, 0xff, 0x9b}: // 64:ff9b::/96, RFC 6052
		return public(netip.AddrFrom4([4]byte(b[12:])))
	case b[0] == 0x20 && b[1] == 0x02: // 2002::/16, RFC 3056
		return public(netip.AddrFrom4([4]byte(b[2:6])))
	}
	// 2000::/3 is what was given out, RFC 3587. Among the rest are other forms of
	// IPv4 addresses (::/96, ::ffff:0:0:0/96) and translation that is local.
	return b[0]&0xe0 == 0x20
}

// special are the blocks that RFC 6890 and its successors take out of the
// Internet, beyond those that net/netip knows.
var special = sync.OnceValue(func() []netip.Prefix {
	var blocks []netip.Prefix
	for _, block := range []string{
		"0.0.0.0/8",       // this network, RFC 1122
		"100.64.0.0/10",   // shared by carrier-grade NAT, RFC 6598
		"192.0.0.0/24",    // protocol assignments, RFC 6890
		"192.0.2.0/24",    // documentation, RFC 5737
		"198.18.0.0/15",   // benchmarks, RFC 2544
		"198.51.100.0/24", // documentation, RFC 5737
		"203.0.113.0/24",  // documentation, RFC 5737
		"240.0.0.0/4",     // reserved, RFC 1112
		"2001::/23",       // protocol assignments and Teredo, RFC 2928 and 4380
		"2001:db8::/32",   // documentation, RFC 3849
		"3fff::/20",       // documentation, RFC 9637
	} {
		blocks = append(blocks, netip.MustParsePrefix(block))
	}
	return blocks
})
