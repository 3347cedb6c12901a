package pkioverheid_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// distrusting are the ways to name a certificate of Private G1, or a CA above it.
func distrusting(leaf *x509.Certificate) map[string]pkioverheid.DistrustedEntry {
	g1 := pkiotest.New(pkioverheid.PrivateG1).Certificates()
	return map[string]pkioverheid.DistrustedEntry{
		"the certificate":                {Certificate: truststore.FingerprintOf(leaf), Reason: "stolen"},
		"its key":                        {Key: chain.KeyHash(leaf), Reason: "stolen"},
		"its issuer and serial number":   {Issuer: leaf.Issuer, SerialNumber: leaf.SerialNumber, Reason: "stolen"},
		"its subject":                    {Subject: leaf.Subject, Reason: "stolen"},
		"its subject, as a program does": {Subject: pkix.Name{ExtraNames: leaf.Subject.Names}, Reason: "stolen"},
		"the certificate of its TSP CA":  {Certificate: truststore.FingerprintOf(g1[2]), Reason: "stolen"},
		"the key of its TSP CA":          {Key: chain.KeyHash(g1[2]), Reason: "stolen"},
		"the subject of its TSP CA":      {Subject: g1[2].Subject, Reason: "stolen"},
		"the domain CA by its number":    {Issuer: g1[1].Issuer, SerialNumber: g1[1].SerialNumber, Reason: "stolen"},
		"the key of the root":            {Key: chain.KeyHash(g1[0]), Reason: "stolen"},
	}
}

func TestServersRefuseWhatIsDistrustedFromThenOn(t *testing.T) {
	client := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{OIN: someOIN})
	for name, entry := range distrusting(client.Leaf) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			if version == tls.VersionTLS12 && name != "its key" && !thorough {
				continue
			}
			t.Run(name+"/"+tls.VersionName(version), func(t *testing.T) {
				var d pkioverheid.Distrusted
				trust := fixtureTrust()
				trust.Distrusted = &d
				trust.Logger, _ = lines()
				s := newServer(t, pkioverheid.ServerConfig{Trust: trust}, pkioverheid.AllowOIN(someOIN))
				address := loopback(serve(t, s.TLSConfig()))
				tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairs(client)})
				require.NoError(t, err)
				tc.ServerName, tc.MaxVersion = "localhost", version
				resuming := tc.Clone()
				resuming.ClientSessionCache = tls.NewLRUClientSessionCache(0)
				for _, c := range []*tls.Config{tc, resuming, resuming} {
					_, err = exchange(address, c)
					require.NoError(t, err)
				}
				cas := pkiotest.New(pkioverheid.PrivateG1).Certificates()
				state := tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{client.Leaf, cas[2], cas[1], cas[0]}}}
				_, err = s.Identify(&state)
				require.NoError(t, err)

				require.NoError(t, d.Set(entry))
				_, err = exchange(address, tc)
				assert.Error(t, err, "a new handshake")
				_, err = exchange(address, resuming)
				assert.Error(t, err, "a session from before")
				_, err = s.Identify(&state)
				var failed *chain.Error
				require.ErrorAs(t, err, &failed)
				assert.Equal(t, chain.Distrusted, failed.Reason)
				assert.ErrorContains(t, err, "stolen")

				require.NoError(t, d.Set())
				_, err = exchange(address, tc)
				assert.NoError(t, err, "the entry is lifted")
			})
		}
	}
}

func TestAnOpenConnectionOfWhoIsDistrustedEndsAtItsNextRequest(t *testing.T) {
	client := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{OIN: someOIN})
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprint("HTTP/2 ", http2), func(t *testing.T) {
			var d pkioverheid.Distrusted
			trust := fixtureTrust()
			trust.Distrusted = &d
			trust.Logger, _ = lines()
			s := newServer(t, pkioverheid.ServerConfig{Trust: trust}, pkioverheid.AllowOIN(someOIN))
			srv := httptest.NewUnstartedServer(s.Handler(new(welcome)))
			srv.TLS, srv.EnableHTTP2 = s.TLSConfigForHandler(), http2
			srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
			srv.StartTLS()
			t.Cleanup(srv.Close)
			c := newClient(t, pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairs(client)})
			url := "https://localhost:" + srv.URL[strings.LastIndex(srv.URL, ":")+1:]
			assert.Contains(t, body(t, c, url), "welcome")

			require.NoError(t, d.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(client.Leaf)}))
			conn, resp := reusing(t, c, url)
			assert.True(t, conn, "the connection was open")
			assert.Equal(t, http.StatusForbidden, resp.StatusCode)
			if !http2 {
				assert.True(t, resp.Close)
			}
			require.Eventually(t, func() bool { // GOAWAY may arrive after the answer
				_, err := c.Get(url)
				return err != nil
			}, 20*time.Second, time.Millisecond, "a new connection, which the handshake refuses")
		})
	}
}

// What a proxy's header holds is remembered for a minute, and forgotten at once.
func TestBehindAProxyWhoIsDistrustedIsRefusedAtTheNextRequest(t *testing.T) {
	var d pkioverheid.Distrusted
	leaf := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{OIN: someOIN}).Leaf
	h, _, _ := guarded(t, pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Distrusted: &d}, Proxy: &pkioverheid.Proxy{
		Format: pkioverheid.NginxEscapedPEM, Header: "X-Client-Cert", From: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")},
	}}, pkioverheid.AllowOIN(someOIN))
	ask := func() *httptest.ResponseRecorder {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.RemoteAddr = "192.0.2.1:1234"
		r.Header.Set("X-Client-Cert", escapedPEM(leaf))
		h.ServeHTTP(w, r)
		return w
	}
	require.Equal(t, http.StatusOK, ask().Code)
	require.NoError(t, d.Set(pkioverheid.DistrustedEntry{Issuer: leaf.Issuer, SerialNumber: leaf.SerialNumber}))
	refused := ask()
	assert.Equal(t, http.StatusForbidden, refused.Code)
	assert.Contains(t, refused.Body.String(), "distrusted")
	assert.Empty(t, refused.Header().Get("Connection"), "others call over the proxy's connection")
	require.NoError(t, d.Set())
	assert.Equal(t, http.StatusOK, ask().Code, "and the refusal is forgotten too")
}

// The owner hears it first: the other side may have the same list.
func TestAnOwnCertificateThatIsDistrustedIsReported(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	for name, entry := range map[string]pkioverheid.DistrustedEntry{
		"it":              {Subject: g1.Issue(pkiotest.Leaf{OIN: someOIN}).Leaf.Subject, Reason: "stolen"},
		"its TSP's key":   {Key: chain.KeyHash(g1.Certificates()[2]), Reason: "stolen"},
		"another subject": {Subject: g1.Issue(pkiotest.Leaf{Organization: "another"}).Leaf.Subject},
	} {
		t.Run(name, func(t *testing.T) {
			var d pkioverheid.Distrusted
			var seen traced
			trust := quiet(fixtureTrust())
			trust.Distrusted, trust.Trace = &d, seen.trace()
			s := newServer(t, pkioverheid.ServerConfig{Trust: trust, KeyPairs: pairs(g1.Issue(pkiotest.Leaf{OIN: someOIN}))}, anybody)
			require.NoError(t, d.Set(entry))
			address := loopback(serve(t, s.TLSConfig()))
			tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: pairs(pkiotest.New(pkioverheid.PrivateG4TLS).Issue(pkiotest.Leaf{}))})
			require.NoError(t, err)
			tc.ServerName = "localhost"
			_, err = exchange(address, tc)
			require.NoError(t, err)
			seen.mu.Lock()
			defer seen.mu.Unlock()
			var reported []string
			for _, e := range seen.own {
				if e.Problem == pkioverheid.OwnDistrusted {
					reported = append(reported, e.Text)
				}
			}
			if name == "another subject" {
				assert.Empty(t, reported)
				return
			}
			require.Len(t, reported, 1)
			assert.Contains(t, reported[0], "stolen")
		})
	}
}

func TestClientsRefuseWhatIsDistrustedFromThenOn(t *testing.T) {
	server := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	url := serve(t, &tls.Config{Certificates: []tls.Certificate{server}})
	for name, entry := range distrusting(server.Leaf) {
		t.Run(name, func(t *testing.T) {
			var d pkioverheid.Distrusted
			trust := fixtureTrust()
			trust.Distrusted = &d
			c := newClient(t, pkioverheid.ClientConfig{Trust: trust})
			tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: trust})
			require.NoError(t, err)
			tc.ServerName, tc.ClientSessionCache = "localhost", tls.NewLRUClientSessionCache(0)
			_ = body(t, c, url)
			for range 2 {
				_, err = exchange(loopback(url), tc)
				require.NoError(t, err)
			}

			require.NoError(t, d.Set(entry))
			var refused *pkioverheid.ServerCertificateError
			_, err = c.Get(url)
			require.ErrorAs(t, err, &refused, "the idle connection is not used again")
			assert.Equal(t, chain.Distrusted, refused.Reason)
			assert.Contains(t, refused.Problem, "stolen")
			assert.NotEmpty(t, refused.Advice)
			_, err = exchange(loopback(url), tc)
			assert.ErrorAs(t, err, &refused, "a session from before")

			require.NoError(t, d.Set())
			assert.Equal(t, "hello", body(t, c, url))
		})
	}
}

func TestVerifiersRefuseWhatIsDistrustedFromThenOn(t *testing.T) {
	leaf := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}).Leaf
	for name, entry := range distrusting(leaf) {
		t.Run(name, func(t *testing.T) {
			var d pkioverheid.Distrusted
			trust := fixtureTrust()
			trust.Distrusted = &d
			v, err := pkioverheid.NewVerifier(trust)
			require.NoError(t, err)
			inspect := func() error {
				_, _, err := v.Inspect([]*x509.Certificate{leaf}, pkioverheid.SignerOptions{})
				return err
			}
			require.NoError(t, inspect())
			require.NoError(t, d.Set(entry))
			var failed *chain.Error
			require.ErrorAs(t, inspect(), &failed)
			assert.Equal(t, chain.Distrusted, failed.Reason)
			require.NoError(t, d.Set())
			assert.NoError(t, inspect())
		})
	}
}

// crypto/x509 takes a certificate with bytes after its signature, which anybody can append.
func TestAppendedBytesMakeNoOtherCertificate(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	leaf, ca := g1.Issue(pkiotest.Leaf{}).Leaf, g1.Certificates()[2]
	for name, c := range map[string]struct {
		distrusted *x509.Certificate
		sent       []*x509.Certificate
	}{
		"of the signer": {leaf, []*x509.Certificate{appended(t, leaf)}},
		"of its CA":     {ca, []*x509.Certificate{leaf, appended(t, ca)}},
		"of both":       {ca, []*x509.Certificate{appended(t, leaf), appended(t, ca)}},
	} {
		t.Run(name, func(t *testing.T) {
			trust := fixtureTrust()
			trust.Distrusted = new(pkioverheid.Distrusted)
			v, err := pkioverheid.NewVerifier(trust)
			require.NoError(t, err)
			_, _, err = v.Inspect(c.sent, pkioverheid.SignerOptions{})
			require.NoError(t, err)
			require.NoError(t, trust.Distrusted.Set(pkioverheid.DistrustedEntry{Certificate: truststore.FingerprintOf(c.distrusted), Reason: "stolen"}))
			_, _, err = v.Inspect(c.sent, pkioverheid.SignerOptions{})
			assert.ErrorContains(t, err, "stolen")
			require.NoError(t, trust.Distrusted.Set(pkioverheid.DistrustedEntry{Certificate: truststore.FingerprintOf(c.sent[0]), Reason: "stolen"}))
			_, _, err = v.Inspect(c.sent, pkioverheid.SignerOptions{})
			assert.ErrorContains(t, err, "stolen", "by the fingerprint that it has now")
		})
	}
}

// appended returns a certificate with a NULL after its signature.
func appended(t *testing.T, cert *x509.Certificate) *x509.Certificate {
	t.Helper()
	var outer asn1.RawValue
	_, err := asn1.Unmarshal(cert.Raw, &outer)
	require.NoError(t, err)
	der, err := asn1.Marshal(asn1.RawValue{Tag: outer.Tag, IsCompound: true, Bytes: append(bytes.Clone(outer.Bytes), asn1.NullBytes...)})
	require.NoError(t, err)
	other, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	require.NotEqual(t, cert.Raw, other.Raw)
	return other
}

// crypto/x509 takes a signature that begins with a zero bit also with all bits moved to the
// left, and says that the last one is not used. Every second RSA signature begins so.
func TestMovedBitsMakeNoOtherCertificate(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	var leaf, other *x509.Certificate
	for other == nil {
		leaf = g1.Issue(pkiotest.Leaf{}).Leaf
		other = moved(t, leaf)
	}
	trust := fixtureTrust()
	trust.Distrusted = new(pkioverheid.Distrusted)
	v, err := pkioverheid.NewVerifier(trust)
	require.NoError(t, err)
	for name, sent := range map[string]*x509.Certificate{"bits": other, "bits, and bytes after them": appended(t, other)} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, trust.Distrusted.Set())
			_, _, err = v.Inspect([]*x509.Certificate{sent}, pkioverheid.SignerOptions{})
			require.NoError(t, err)
			require.NoError(t, trust.Distrusted.Set(pkioverheid.DistrustedEntry{Certificate: truststore.FingerprintOf(leaf), Reason: "stolen"}))
			_, _, err = v.Inspect([]*x509.Certificate{sent}, pkioverheid.SignerOptions{})
			assert.ErrorContains(t, err, "stolen")
		})
	}
}

// moved returns a certificate with the bits of its signature one to the left, nil if the
// first one is set.
func moved(t *testing.T, cert *x509.Certificate) *x509.Certificate {
	t.Helper()
	var parts struct {
		Signed, Algorithm asn1.RawValue
		Signature         asn1.BitString
	}
	_, err := asn1.Unmarshal(cert.Raw, &parts)
	require.NoError(t, err)
	n := new(big.Int).SetBytes(parts.Signature.Bytes)
	size := len(parts.Signature.Bytes)
	if n.BitLen() == 8*size {
		return nil
	}
	parts.Signature = asn1.BitString{Bytes: n.Lsh(n, 1).FillBytes(make([]byte, size)), BitLength: 8*size - 1}
	der, err := asn1.Marshal(parts)
	require.NoError(t, err)
	other, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	require.NotEqual(t, cert.Raw, other.Raw)
	return other
}

func TestNamesAreDistrustedExactly(t *testing.T) {
	leaf := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}).Leaf
	more := pkix.Name{ExtraNames: append([]pkix.AttributeTypeAndValue{{Type: []int{2, 5, 4, 11}, Value: "more"}}, leaf.Subject.Names...)}
	loud := pkix.Name{ExtraNames: nil}
	for i := len(leaf.Subject.Names) - 1; i >= 0; i-- {
		a := leaf.Subject.Names[i]
		a.Value = "  " + strings.ToUpper(a.Value.(string))
		loud.ExtraNames = append(loud.ExtraNames, a)
	}
	for _, c := range []struct {
		name    string
		entry   pkioverheid.DistrustedEntry
		refused bool
	}{
		{"a part of the subject", pkioverheid.DistrustedEntry{Subject: pkix.Name{ExtraNames: leaf.Subject.Names[1:]}}, false},
		{"more than the subject", pkioverheid.DistrustedEntry{Subject: more}, false},
		{"in another order, in capitals, with spaces", pkioverheid.DistrustedEntry{Subject: loud}, true},
		{"the serial number of another issuer", pkioverheid.DistrustedEntry{Issuer: leaf.Subject, SerialNumber: leaf.SerialNumber}, false},
		{"another number of the issuer", pkioverheid.DistrustedEntry{Issuer: leaf.Issuer, SerialNumber: new(big.Int).Add(leaf.SerialNumber, big.NewInt(1))}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d pkioverheid.Distrusted
			require.NoError(t, d.Set(c.entry))
			trust := fixtureTrust()
			trust.Distrusted = &d
			v, err := pkioverheid.NewVerifier(trust)
			require.NoError(t, err)
			_, _, err = v.Inspect([]*x509.Certificate{leaf}, pkioverheid.SignerOptions{})
			assert.Equal(t, c.refused, err != nil, "%v", err)
		})
	}
}

func TestEntriesThatNameNothingOrTwoThingsAreRefused(t *testing.T) {
	leaf := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}).Leaf
	good := pkioverheid.DistrustedEntry{Key: chain.KeyHash(leaf)}
	for name, bad := range map[string]pkioverheid.DistrustedEntry{
		"nothing":                           {Reason: "why"},
		"a certificate and its key":         {Certificate: truststore.FingerprintOf(leaf), Key: chain.KeyHash(leaf)},
		"an issuer without a serial number": {Issuer: leaf.Issuer},
		"a serial number without an issuer": {SerialNumber: leaf.SerialNumber},
	} {
		t.Run(name, func(t *testing.T) {
			var d pkioverheid.Distrusted
			require.NoError(t, d.Set(good))
			assert.ErrorContains(t, d.Set(pkioverheid.DistrustedEntry{Subject: leaf.Subject}, bad), "entry 2")
			trust := fixtureTrust()
			trust.Distrusted = &d
			v, err := pkioverheid.NewVerifier(trust)
			require.NoError(t, err)
			_, _, err = v.Inspect([]*x509.Certificate{leaf}, pkioverheid.SignerOptions{})
			assert.Error(t, err, "the entries from before stay")
		})
	}
}

// Whoever names all roots in use may have made a mistake, and all else in the set is refused.
func TestAllRootsAreNotDistrustedAtOnceButTheRestOfTheSetIs(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	all := pkioverheid.DistrustedEntry{Key: chain.KeyHash(g1.Certificates()[0]), Reason: "by mistake"}
	only := func(d *pkioverheid.Distrusted) pkioverheid.Trust {
		return pkioverheid.Trust{OnlyRoots: true, Roots: truststore.NewSource(g1.Roots()), Distrusted: d}
	}
	var from pkioverheid.Distrusted
	require.NoError(t, from.Set(all))
	_, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: only(&from), KeyPairs: pairs(ownPair())}, anybody)
	assert.ErrorContains(t, err, "refuse all roots")
	_, err = pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: only(&from)})
	assert.ErrorContains(t, err, "refuse all roots")
	_, err = pkioverheid.NewVerifier(only(&from))
	assert.ErrorContains(t, err, "refuse all roots")

	var d pkioverheid.Distrusted
	var mu sync.Mutex
	var replaced []pkioverheid.Event
	trust := only(&d)
	var logged *record
	trust.Logger, logged = lines()
	trust.Trace = &pkioverheid.Trace{Replaced: func(e pkioverheid.Event) {
		mu.Lock()
		defer mu.Unlock()
		replaced = append(replaced, e)
	}}
	stolen := g1.Issue(pkiotest.Leaf{})
	require.NoError(t, d.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(stolen.Leaf)}))
	s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: pairs(ownPair())}, anybody)
	require.NoError(t, err)
	chainOf := func(cert tls.Certificate) *tls.ConnectionState {
		cas := g1.Certificates()
		return &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{cert.Leaf, cas[2], cas[1], cas[0]}}}
	}
	other, third := g1.Issue(pkiotest.Leaf{}), g1.Issue(pkiotest.Leaf{}) // with the next keys
	require.NoError(t, d.Set(all, pkioverheid.DistrustedEntry{Certificate: truststore.FingerprintOf(third.Leaf), Reason: "lost"}))
	for range 2 {
		_, err = s.Identify(chainOf(other))
		assert.NoError(t, err, "the root stays trusted")
		_, err = s.Identify(chainOf(third))
		assert.ErrorContains(t, err, "lost", "the rest of the set is used")
		_, err = s.Identify(chainOf(stolen))
		assert.ErrorContains(t, err, "distrusted", "contents with a mistake lift nothing")
	}
	require.Len(t, replaced, 1, "it is reported once")
	assert.ErrorContains(t, replaced[0].Err, "refuse all roots")
	assert.ErrorContains(t, replaced[0].Err, g1.Certificates()[0].Subject.CommonName)
	assert.True(t, replaced[0].Server)
	assert.Equal(t, 1, strings.Count(logged.String(), "level=ERROR"))
	assert.Contains(t, logged.String(), "the rest of the set is in use")

	// A second mistake in a row.
	require.NoError(t, d.Set(all, pkioverheid.DistrustedEntry{Subject: other.Leaf.Subject, Reason: "lost too"}))
	_, err = s.Identify(chainOf(other))
	assert.ErrorContains(t, err, "lost too")
	_, err = s.Identify(chainOf(stolen))
	assert.ErrorContains(t, err, "distrusted")
	require.Len(t, replaced, 2)
	replaced = replaced[:1]

	require.NoError(t, d.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(other.Leaf)}))
	_, err = s.Identify(chainOf(other))
	assert.ErrorContains(t, err, "distrusted")
	require.Len(t, replaced, 2)
	assert.NoError(t, replaced[1].Err)
}

// New roots that are refused do not hold up what is distrusted, and the other way round.
func TestRootsAndDistrustedAreUsedEachWhereTheOtherIsRefused(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	var d pkioverheid.Distrusted
	roots := truststore.NewSource(g1.Roots())
	trust := pkioverheid.Trust{OnlyRoots: true, Roots: roots, Distrusted: &d}
	trust.Logger, _ = lines()
	v, err := pkioverheid.NewVerifier(trust)
	require.NoError(t, err)
	accepts := func(leaf *x509.Certificate) bool {
		_, _, err := v.Inspect([]*x509.Certificate{leaf}, pkioverheid.SignerOptions{})
		return err == nil
	}
	one, two := g1.Issue(pkiotest.Leaf{}).Leaf, g4.Issue(pkiotest.Leaf{}).Leaf
	require.True(t, accepts(one))
	require.NoError(t, roots.Set(truststore.New(pkioverheid.G3.Root())))
	require.NoError(t, d.Set(pkioverheid.DistrustedEntry{Certificate: truststore.FingerprintOf(one)}))
	assert.False(t, accepts(one), "the roots are refused, and the entry is in use")
	require.NoError(t, roots.Set(truststore.New(g1.Certificates()[0], g4.Certificates()[0])))
	require.NoError(t, d.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(g1.Certificates()[0])}, pkioverheid.DistrustedEntry{Key: chain.KeyHash(g4.Certificates()[0])}))
	assert.False(t, accepts(two), "a root that is distrusted, and was not trusted before")
	assert.True(t, accepts(g1.Issue(pkiotest.Leaf{}).Leaf), "all roots are named, and the one from before stays in use")
	assert.False(t, accepts(one), "and so do the entries from before")
}

func TestADistrustedRootIsNotAnnounced(t *testing.T) {
	var d pkioverheid.Distrusted
	trust := fixtureTrust()
	trust.Distrusted = &d
	s := newServer(t, pkioverheid.ServerConfig{Trust: trust}, anybody)
	address := loopback(serve(t, s.TLSConfig()))
	announced := func() [][]byte {
		var cas [][]byte
		_, _ = exchange(address, &tls.Config{VerifyConnection: func(tls.ConnectionState) error { return nil }, RootCAs: fixtureRoots().CertPool(), ServerName: "localhost", GetClientCertificate: func(i *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cas = i.AcceptableCAs
			return new(tls.Certificate), nil
		}})
		return cas
	}
	tsp := pkiotest.New(pkioverheid.PrivateG1).Certificates()[2]
	require.Contains(t, announced(), tsp.RawSubject)
	require.NoError(t, d.Set(pkioverheid.DistrustedEntry{Subject: tsp.Subject}))
	assert.NotContains(t, announced(), tsp.RawSubject)
}

// An operator writes a file, with what openssl and public lists print.
func TestAFileOfDistrustedCertificatesIsFollowed(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	leaf, cas := g1.Issue(pkiotest.Leaf{}).Leaf, g1.Certificates()
	key := chain.KeyHash(leaf)
	colons := strings.ToUpper(hexOf(leaf.SerialNumber.Bytes()))
	b64 := base64.StdEncoding.EncodeToString
	for name, line := range map[string]string{
		"a certificate in hex":           "certificate " + truststore.FingerprintOf(leaf).String() + "  stolen on Monday",
		"a key in base64":                "key " + b64(key[:]) + " stolen",
		"an issuer in base64, as OneCRL": "issuer " + b64(leaf.RawIssuer) + " serial " + leaf.SerialNumber.Text(16) + " stolen",
		"an issuer as text":              `issuer "` + safetext.Name(leaf.Issuer, 1000) + `" serial ` + colons + "\tstolen",
		"a subject as text":              `subject "` + safetext.Name(leaf.Subject, 1000) + `" stolen`,
		"a subject as openssl prints it": `subject "` + opensslName(leaf.Subject) + `" stolen`,
		"a CA's subject":                 `subject "` + safetext.Name(cas[2].Subject, 1000) + `" stolen`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "distrusted.txt")
			require.NoError(t, os.WriteFile(path, []byte("# today\r\n\r\n"+line+"\r\n"), 0o600))
			d, err := pkioverheid.WatchDistrusted(t.Context(), path)
			require.NoError(t, err)
			assert.ErrorContains(t, inspecting(t, d, leaf)(), "stolen")
			assert.ErrorContains(t, d.Set(), "follows a file")
		})
	}
	path := filepath.Join(t.TempDir(), "distrusted.txt")
	require.NoError(t, os.WriteFile(path, []byte("# nothing yet\n"), 0o600))
	reloads := make(chan error, 100)
	d, err := pkioverheid.WatchDistrusted(t.Context(), path, truststore.WithInterval(10*time.Millisecond), truststore.OnReload(func(r truststore.Reload) { reloads <- r.Err }))
	require.NoError(t, err)
	inspect := inspecting(t, d, leaf)
	require.NoError(t, inspect())
	line := "key " + b64(key[:]) + " stolen\n"
	require.NoError(t, os.WriteFile(path, []byte(line), 0o600))
	require.NoError(t, <-reloads)
	assert.ErrorContains(t, inspect(), "stolen")
	for _, wrong := range []string{"", line + "key abc no hash\n"} {
		require.NoError(t, os.WriteFile(path, []byte(wrong), 0o600))
		assert.Error(t, <-reloads)
		assert.Error(t, d.Err())
		assert.NoError(t, (*pkioverheid.Distrusted)(nil).Err(), "of a Trust without it")
		assert.ErrorContains(t, inspect(), "stolen", "what there was stays")
	}
	_, err = pkioverheid.WatchDistrusted(context.Background(), filepath.Join(t.TempDir(), "none"))
	assert.ErrorContains(t, err, "pkioverheid: ")
	_, err = pkioverheid.WatchDistrusted(context.Background(), "a", truststore.WithPassword("x"))
	assert.Error(t, err)
}

// A line that names another certificate than it seems to would refuse nobody.
func TestQuotationMarksWithinANameAreNotMisread(t *testing.T) {
	path := filepath.Join(t.TempDir(), "distrusted.txt")
	for line, want := range map[string]string{
		`subject "CN=a, O=A "B" C" why`:          `written \"`,
		`subject "CN=a, O = "A, B", C=NL" why`:   `written \"`,
		`subject "CN=a, O = \"A, B\", C=NL" why`: `a comma within a value as \,`,
		`subject "CN=a, O = \"A+B\"" why`:        "TYPE=value",
		`subject "CN=a, O = \"A<B\"" why`:        "without quotation marks",
	} {
		require.NoError(t, os.WriteFile(path, []byte(line+"\n"), 0o600))
		_, err := pkioverheid.WatchDistrusted(t.Context(), path)
		assert.ErrorContains(t, err, want, line)
	}
	require.NoError(t, os.WriteFile(path, []byte(`subject "CN=a, O=A \"B\" C\, D" why`+"\n"), 0o600))
	_, err := pkioverheid.WatchDistrusted(t.Context(), path)
	assert.NoError(t, err)
}

// inspecting returns why a Verifier refuses a certificate.
func inspecting(t *testing.T, d *pkioverheid.Distrusted, cert *x509.Certificate) func() error {
	trust := fixtureTrust()
	trust.Distrusted = d
	v, err := pkioverheid.NewVerifier(trust)
	require.NoError(t, err)
	return func() error {
		_, _, err := v.Inspect([]*x509.Certificate{cert}, pkioverheid.SignerOptions{})
		return err
	}
}

func hexOf(b []byte) string {
	var parts []string
	for _, x := range b {
		parts = append(parts, fmt.Sprintf("%02x", x))
	}
	return strings.Join(parts, ":")
}

// opensslName is a name as openssl x509 -subject prints it.
func opensslName(name pkix.Name) string {
	types := map[string]string{"2.5.4.3": "CN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU"}
	var parts []string
	for _, a := range name.Names {
		kind := types[a.Type.String()]
		if kind == "" {
			kind = a.Type.String()
		}
		parts = append(parts, kind+" = "+fmt.Sprint(a.Value))
	}
	return strings.Join(parts, ", ")
}

// reusing makes a request, and reports whether the connection was open before.
func reusing(t *testing.T, c *http.Client, url string) (reused bool, resp *http.Response) {
	t.Helper()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	require.NoError(t, err)
	resp, err = c.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	return reused, resp
}
