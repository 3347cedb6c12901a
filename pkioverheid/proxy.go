package pkioverheid

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Proxy describes a proxy in front of a server that ends TLS (TLS offloading) and
// passes the caller's certificate on in a header.
//
// The proxy must ask for a certificate in its handshake, which proves that the caller
// has the key, and must overwrite the header in every request:
//
//	nginx    ssl_verify_client on (or optional_no_ca, to have every refusal logged here);
//	         ssl_verify_depth 3; ssl_client_certificate FILE (pkio export --to nginx);
//	         proxy_set_header X-Client-Cert $ssl_client_escaped_cert;
//	Envoy    forward_client_cert_details: SANITIZE_SET, and cert: true in
//	         set_current_client_cert_details
//	HAProxy  http-request set-header X-Client-Cert %[ssl_c_der,base64]
//
// The certificate is verified again here. Requests from other addresses than the proxy's
// are refused, and those whose header is missing, empty, there twice, or of two callers.
type Proxy struct {
	// Format is how the certificate is written. It must be set.
	Format ProxyFormat

	// Header is the name of the header. Empty is X-Forwarded-Client-Cert for Envoy
	// and Client-Cert for RFC 9440; for the others it is an error.
	Header string

	// From are the addresses that the proxy connects from. What counts is the address of
	// the connection (http.Request.RemoteAddr), without a zone: put nothing in front that
	// changes that to what a header says.
	From []netip.Prefix

	// CallerHeader is the header in which the proxy names the address that called it, for
	// the log and Trace alone: X-Real-IP, or X-Forwarded-For, of which the last address
	// counts. Empty: they name the proxy's address.
	CallerHeader string

	// Unix lets in everything that comes through a Unix socket, which is for the
	// permissions of the socket to guard.
	Unix bool
}

// ProxyFormat is a way to write a certificate in a header.
type ProxyFormat string

const (
	// NginxEscapedPEM is nginx's $ssl_client_escaped_cert: PEM, percent-encoded. Tests
	// write it with url.PathEscape, not url.QueryEscape.
	NginxEscapedPEM ProxyFormat = "nginx-escaped-pem"

	// EnvoyXFCC is Envoy's x-forwarded-client-cert with Cert, and Chain where it is
	// there, in one element: an earlier one would be of a proxy in front of Envoy, or
	// of the caller.
	EnvoyXFCC ProxyFormat = "envoy-xfcc"

	// HAProxyDER is HAProxy's ssl_c_der,base64: DER in standard base64.
	HAProxyDER ProxyFormat = "haproxy-der"

	// RFC9440 is the Client-Cert header of RFC 9440: DER in base64 between colons.
	// Client-Cert-Chain is not read.
	RFC9440 ProxyFormat = "rfc9440"
)

const (
	// maxClientCert bounds a header: some certificates of RSA-4096 with a hundred
	// names each.
	maxClientCert = 64 << 10

	// maxClientChain bounds what Envoy sends as Chain: PKIoverheid has four layers.
	maxClientChain = 10
)

// proxyHeader reads the header of a Proxy.
type proxyHeader struct {
	name  string // in canonical form
	parse func(string) ([]*x509.Certificate, error)
	from  []netip.Prefix
	unix  bool

	callerName string // of the header, in canonical form, or empty
}

func newProxyHeader(p Proxy) (*proxyHeader, error) {
	h := &proxyHeader{name: p.Header, from: slices.Clone(p.From), unix: p.Unix}
	usual := ""
	switch p.Format {
	case NginxEscapedPEM:
		h.parse = parseEscapedPEM
	case EnvoyXFCC:
		h.parse, usual = parseXFCC, "X-Forwarded-Client-Cert"
	case HAProxyDER:
		h.parse = parseBase64DER
	case RFC9440:
		h.parse, usual = parseByteSequence, "Client-Cert"
	default:
		return nil, errors.New("pkioverheid: Proxy.Format is not set: NginxEscapedPEM, EnvoyXFCC, HAProxyDER or RFC9440")
	}
	if h.name == "" {
		h.name = usual
	}
	if h.name == "" {
		return nil, errors.New("pkioverheid: Proxy.Header is not set: name the header in which the proxy sends the certificate")
	}
	for field, name := range map[string]string{"Header": h.name, "CallerHeader": p.CallerHeader} {
		if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' || r == ',' }) {
			return nil, fmt.Errorf("pkioverheid: Proxy.%s: %s is not the name of a header", field, safetext.Quote(name))
		}
	}
	h.name, h.callerName = http.CanonicalHeaderKey(h.name), http.CanonicalHeaderKey(p.CallerHeader)
	if h.name == h.callerName {
		return nil, errors.New("pkioverheid: Proxy.CallerHeader is the header of the certificate: name the one with the caller's address")
	}
	if len(h.from) == 0 && !h.unix {
		return nil, errors.New("pkioverheid: Proxy.From is empty: name the addresses that the proxy connects from")
	}
	for _, prefix := range h.from {
		switch {
		case !prefix.IsValid():
			return nil, errors.New("pkioverheid: Proxy.From holds a prefix that is not valid: was an error of netip.ParsePrefix ignored?")
		case prefix.Bits() == 0:
			return nil, fmt.Errorf("pkioverheid: Proxy.From holds %s, by which every address is the proxy's", prefix)
		case prefix.Addr().Is4In6():
			return nil, fmt.Errorf("pkioverheid: Proxy.From holds %s: write it as an IPv4 prefix", prefix)
		}
	}
	return h, nil
}

// headerError says why a header that the proxy sent holds no caller.
type headerError struct {
	name string
	err  error
}

func (e *headerError) Error() string {
	return wording(e.problem(), "")
}

func (e *headerError) problem() string {
	return "The header " + safetext.Printable(e.name, safetext.MostError) + " holds no certificate that can be read: " + e.err.Error() + "."
}

func (e *headerError) Unwrap() error { return e.err }

// value returns the one value of the header, if it is the proxy that sent it.
func (h *proxyHeader) value(r *http.Request) (string, error) {
	values := r.Header[h.name]
	if !h.isProxy(r) {
		if len(values) > 0 {
			return "", &AccessError{Reason: NotFromProxy, Problem: "The header " + safetext.Printable(h.name, safetext.MostError) + " came from an address that is not the proxy's."}
		}
		return "", &AccessError{Reason: NotFromProxy, Problem: "The request did not come through the proxy."}
	}
	switch {
	case len(values) > 1:
		return "", &headerError{h.name, fmt.Errorf("it is there %d times", len(values))}
	case len(values) == 0:
		return "", &AccessError{Reason: NoCertificate, Problem: "The proxy got no certificate from the caller, or passed it on under another name.", Advice: h.elsewhere(r)}
	case values[0] == "":
		return "", &AccessError{Reason: NoCertificate, Problem: "The proxy got no certificate from the caller."}
	case len(values[0]) > maxClientCert:
		return "", &headerError{h.name, fmt.Errorf("it has %d bytes, and at most %d are read", len(values[0]), maxClientCert)}
	}
	return values[0], nil
}

// elsewhere says in which other header a certificate came, for who runs the server. What
// is in it is not read: the caller may have sent it.
func (h *proxyHeader) elsewhere(r *http.Request) string {
	other := ""
	for name, values := range r.Header {
		if len(values) > 0 && looksLikeCertificate(values[0]) && (other == "" || name < other) {
			other = name
		}
	}
	if other == "" {
		return "There is no header " + h.name + ": if callers do have certificates, make the proxy send them in it, or set Proxy.Header to the name that it uses."
	}
	return "There is no header " + h.name + ", and a certificate came in the header " + safetext.Quote(other) + ": if the proxy sends that, and overwrites what callers send in it, set Proxy.Header to it."
}

// looksLikeCertificate recognises how each ProxyFormat begins.
func looksLikeCertificate(value string) bool {
	const least = 200 // bytes, in base64 too
	return len(value) > least && (strings.HasPrefix(value, "-----BEGIN") || strings.HasPrefix(value, "MII") ||
		strings.HasPrefix(value, ":MII") || strings.Contains(value, `Cert="-----BEGIN`))
}

// caller returns the address that the proxy names, for the log; empty for none. A nil
// proxyHeader names nobody.
func (h *proxyHeader) caller(r *http.Request) string {
	if h == nil || h.callerName == "" || !h.isProxy(r) {
		return ""
	}
	values := r.Header[h.callerName]
	if len(values) == 0 {
		return ""
	}
	last := values[len(values)-1]
	if i := strings.LastIndexByte(last, ','); i >= 0 {
		last = last[i+1:]
	}
	return safetext.Printable(strings.TrimSpace(last), safetext.Most)
}

func (h *proxyHeader) isProxy(r *http.Request) bool {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local != nil && local.Network() == "unix" {
		return h.unix
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	addr := peer.Addr().Unmap().WithZone("")
	return slices.ContainsFunc(h.from, func(p netip.Prefix) bool { return p.Contains(addr) })
}

var (
	errTwoCertificates = errors.New("it holds two certificates")
	errNotPEM          = errors.New("it is not one certificate in PEM")
)

// parseEscapedPEM reads one certificate.
func parseEscapedPEM(value string) ([]*x509.Certificate, error) {
	certs, err := unescapePEM(value)
	if err == nil && len(certs) > 1 {
		return nil, errTwoCertificates
	}
	return certs, err
}

// unescapePEM reads certificates in percent-encoded PEM, and nothing beside them.
func unescapePEM(value string) ([]*x509.Certificate, error) {
	// A path's encoding and not a query's: in that a plus sign would be a space.
	text, err := url.PathUnescape(value)
	if err != nil {
		return nil, errors.New("its percent-encoding is broken")
	}
	var certs []*x509.Certificate
	rest := bytes.TrimSpace([]byte(text))
	for len(rest) > 0 {
		if !bytes.HasPrefix(rest, beginCertificate) {
			return nil, notPEM(rest)
		}
		if len(certs) == maxClientChain {
			return nil, fmt.Errorf("it holds more than %d certificates", maxClientChain)
		}
		var block *pem.Block
		before := rest
		block, rest = pem.Decode(before)
		if block == nil || block.Type != "CERTIFICATE" || len(block.Headers) > 0 {
			return nil, notPEM(before)
		}
		cert, err := parseOne(block.Bytes)
		if err != nil && spaced(before) { // which package pem leaves out
			return nil, notPEM(before)
		}
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
		rest = bytes.TrimSpace(rest)
	}
	if len(certs) == 0 {
		return nil, notPEM(rest)
	}
	return certs, nil
}

var beginCertificate = []byte("-----BEGIN CERTIFICATE-----")

// notPEM says what is wrong with a text that is not a certificate in PEM.
func notPEM(text []byte) error {
	why := ""
	switch {
	case bytes.HasPrefix(text, []byte("-----BEGIN+CERTIFICATE-----")):
		why = ": its spaces are written as +, as url.QueryEscape does: write it as nginx and url.PathEscape do"
	case !bytes.HasPrefix(text, beginCertificate):
		why = ": it does not begin with -----BEGIN CERTIFICATE-----"
	case spaced(text):
		why = ": there are spaces in its base64, where a + or the end of a line was: it must be percent-encoded, as $ssl_client_escaped_cert and url.PathEscape are"
	}
	return fmt.Errorf("%w%s", errNotPEM, why)
}

// spaced reports whether there are spaces within the lines of the first certificate.
func spaced(text []byte) bool {
	body, _, _ := bytes.Cut(bytes.TrimPrefix(text, beginCertificate), []byte("-----END"))
	return bytes.ContainsAny(body, " ")
}

func parseOne(der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New(safetext.Printable(strings.TrimPrefix(err.Error(), "x509: "), safetext.MostError))
	}
	return cert, nil
}

// parseBase64DER reads one certificate.
func parseBase64DER(value string) ([]*x509.Certificate, error) {
	der, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil {
		return nil, errors.New("its base64 is broken")
	}
	cert, err := parseOne(der)
	if err != nil {
		return nil, err
	}
	return []*x509.Certificate{cert}, nil
}

// parseByteSequence reads the byte sequence of RFC 8941 section 3.3.5 that RFC 9440
// section 2.1 asks for: base64 between colons, without parameters.
func parseByteSequence(value string) ([]*x509.Certificate, error) {
	value = strings.Trim(value, " ")
	if len(value) < 2 || value[0] != ':' || value[len(value)-1] != ':' {
		return nil, errors.New("it is not base64 between two colons, as RFC 9440 has it")
	}
	return parseBase64DER(value[1 : len(value)-1])
}

// parseXFCC reads Envoy's header: elements apart by commas, of key=value pairs apart by
// semicolons, whose values may be quoted with backslashes before quotation marks.
func parseXFCC(value string) ([]*x509.Certificate, error) {
	var cert, all string
	seen := map[string]bool{}
	for rest := value; ; {
		key, val, next, err := nextXFCC(rest)
		if err != nil {
			return nil, err
		}
		switch name := strings.ToLower(key); name {
		case "cert", "chain":
			if seen[name] {
				return nil, fmt.Errorf("it holds %q twice", key)
			}
			seen[name] = true
			if name == "cert" {
				cert = val
			} else {
				all = val
			}
		}
		if next == "" {
			break
		}
		if next[0] == ',' {
			return nil, errors.New("it has more than one element, and only one is the proxy's own: set forward_client_cert_details to SANITIZE_SET")
		}
		rest = next[1:]
	}
	switch {
	case cert == "" && all == "":
		return nil, errors.New("it holds neither Cert nor Chain: set cert to true in set_current_client_cert_details")
	case all == "":
		return parseEscapedPEM(cert)
	}
	certs, err := unescapePEM(all)
	if err != nil || cert == "" {
		return certs, err
	}
	leaf, err := parseEscapedPEM(cert)
	if err != nil {
		return nil, err
	}
	if !leaf[0].Equal(certs[0]) {
		return nil, errors.New("its Cert is not the first certificate of its Chain")
	}
	return certs, nil
}

// nextXFCC reads one key=value. What is left begins with the separator after it.
func nextXFCC(s string) (key, value, rest string, err error) {
	key, s, ok := strings.Cut(s, "=")
	if !ok || strings.ContainsAny(key, `,;"`) {
		return "", "", "", errors.New("it is not made of key=value pairs")
	}
	key = strings.TrimSpace(key)
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, `,;"`)
		switch {
		case end < 0:
			return key, s, "", nil
		case s[end] == '"':
			return "", "", "", errors.New("there is a quotation mark within a value")
		}
		return key, s[:end], s[end:], nil
	}
	var unquoted strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i < len(s) {
				unquoted.WriteByte(s[i])
			}
		case '"':
			rest = strings.TrimLeft(s[i+1:], " ")
			if rest != "" && rest[0] != ',' && rest[0] != ';' {
				return "", "", "", errors.New("there is something after a quoted value")
			}
			return key, unquoted.String(), rest, nil
		default:
			unquoted.WriteByte(s[i])
		}
	}
	return "", "", "", errors.New("a quotation mark is missing")
}
