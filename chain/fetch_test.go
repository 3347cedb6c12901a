package chain_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// publisher is a server that hands out the certificates of CAs, as the caIssuers
// URLs of others name it.
type publisher struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string]http.HandlerFunc
	asked []string
}

func newPublisher(t *testing.T) *publisher {
	p := &publisher{files: map[string]http.HandlerFunc{}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked = append(p.asked, r.URL.Path)
		h := p.files[r.URL.Path]
		p.mu.Unlock()
		if h == nil {
			http.NotFound(w, r)
			return
		}
		h(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) publish(path string, content []byte) {
	p.files[path] = func(w http.ResponseWriter, _ *http.Request) { w.Write(content) }
}

// at is the edit that names files of the publisher as those of the issuer.
func (p *publisher) at(paths ...string) edit {
	return func(c *x509.Certificate) {
		for _, path := range paths {
			if strings.HasPrefix(path, "/") {
				path = p.URL + path
			}
			c.IssuingCertificateURL = append(c.IssuingCertificateURL, path)
		}
	}
}

// fetch is a Fetch that may ask the publisher.
func (p *publisher) fetch() chain.Fetch {
	return chain.Fetch{Hosts: []string{strings.TrimPrefix(p.URL, "http://")}, AllowPrivate: true, Timeout: 20 * time.Second}
}

func pkcs7(t *testing.T, certs ...*x509.Certificate) []byte {
	t.Helper()
	data, err := truststore.New(certs...).Encode(truststore.PKCS7)
	require.NoError(t, err)
	return data
}

func TestCompleteFetchesWhatIsMissing(t *testing.T) {
	p := newPublisher(t)
	l := newLayers(nil, []edit{p.at("/root.cer")}, []edit{p.at("/domain.p7c")}, []edit{p.at("/issuing.cer")})
	p.publish("/issuing.cer", l.issuing.Raw)
	p.publish("/domain.p7c", pkcs7(t, newRoot("Stranger").Certificate, l.domain.Certificate))
	p.publish("/issuing.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.issuing.Raw}))
	p.publish("/all.p7c", pkcs7(t, l.issuing.Certificate, l.domain.Certificate, l.root.Certificate))
	leaf := func(paths ...string) *x509.Certificate { return l.issuing.issue("host.example", p.at(paths...)) }

	for _, test := range []struct {
		name  string
		held  *truststore.Store
		certs []*x509.Certificate
		asked []string
	}{
		{"from the leaf alone", truststore.New(), []*x509.Certificate{l.leaf}, []string{"/issuing.cer", "/domain.p7c"}},
		{"what is between the given ones", truststore.New(), []*x509.Certificate{l.leaf, l.domain.Certificate}, []string{"/issuing.cer"}},
		{"only what is above those that are held", truststore.New(l.issuing.Certificate), []*x509.Certificate{l.leaf}, []string{"/domain.p7c"}},
		{"nothing where all is at hand", truststore.New(), l.full(), nil},
		{"a PEM file", truststore.New(l.domain.Certificate), []*x509.Certificate{leaf("/issuing.pem")}, []string{"/issuing.pem"}},
		{"all of them in one PKCS#7", truststore.New(), []*x509.Certificate{leaf("/all.p7c")}, []string{"/all.p7c"}},
		{"the next URL where one fails", truststore.New(l.domain.Certificate), []*x509.Certificate{leaf("/none.cer", "/issuing.cer")}, []string{"/none.cer", "/issuing.cer"}},
		{"no URL twice", truststore.New(l.domain.Certificate), []*x509.Certificate{leaf("/none.cer", "/none.cer", "/issuing.cer")}, []string{"/none.cer", "/issuing.cer"}},
		{"of ldap URLs nothing", truststore.New(l.domain.Certificate), []*x509.Certificate{leaf("ldap://host.example/CA", "ldap://other.example/CA", "ldap:", "x", "", "/issuing.cer")}, []string{"/issuing.cer"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p.asked = nil
			v := mustVerifier(l.roots(), test.held, chain.WithFetch(p.fetch()))
			c, err := v.Complete(context.Background(), test.certs, now)
			require.NoError(t, err)
			require.Len(t, c, 4)
			assert.True(t, c[1].Equal(l.issuing.Certificate))
			assert.True(t, c[2].Equal(l.domain.Certificate))
			assert.True(t, c[3].Equal(l.root.Certificate))
			assert.Equal(t, test.asked, p.asked)
		})
	}

	t.Run("nothing without the option, and nothing to verify", func(t *testing.T) {
		p.asked = nil
		_, err := mustVerifier(l.roots(), truststore.New()).Complete(context.Background(), []*x509.Certificate{l.leaf}, now)
		assert.Error(t, err)
		v := mustVerifier(l.roots(), truststore.New(), chain.WithFetch(p.fetch()))
		_, err = v.Verify(l.leaf, chain.VerifyOptions{Time: now})
		assert.Error(t, err)
		v.Explain([]*x509.Certificate{l.leaf}, chain.VerifyOptions{Time: now})
		_, err = l.leaf.Verify(x509.VerifyOptions{Roots: v.CertPool(clock), CurrentTime: now})
		assert.Error(t, err)
		_, err = v.Check([][]*x509.Certificate{{l.leaf}}, now)
		assert.Error(t, err)
		assert.Empty(t, p.asked)
	})
}

func TestCompleteFetchesNothingElse(t *testing.T) {
	p := newPublisher(t)
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA")
	namesake := newRoot("Root").issueCA("Issuing CA")
	p.publish("/ca.cer", issuing.Raw)
	p.publish("/namesake.cer", namesake.Raw)
	p.publish("/page.html", []byte("<!DOCTYPE html><html><body>Not here</body></html>"))
	p.publish("/garbage.cer", []byte(strings.Repeat("\x1b\x00garbage", 100)))
	p.publish("/cut.cer", issuing.Raw[:len(issuing.Raw)/2])
	p.publish("/empty.cer", nil)
	p.publish("/large.cer", make([]byte, 1<<20+1))
	p.publish("/key.pem", []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	p.publish("/metadata.xml", []byte("<X509Certificate>AAAA</X509Certificate>"))
	var many []*x509.Certificate
	for range 33 {
		many = append(many, root.certify("Issuing CA", issuing.key).Certificate)
	}
	p.publish("/many.p7c", pkcs7(t, many...))
	p.files["/elsewhere.cer"] = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, p.URL+"/ca.cer", http.StatusFound)
	}
	p.files["/slow.cer"] = func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			w.Write([]byte{0x30})
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}

	for _, test := range []struct {
		name  string
		path  string
		fetch func(*chain.Fetch)
		says  string
		asked bool
	}{
		{"from a host that is not allowed", "/ca.cer", func(f *chain.Fetch) { f.Hosts = []string{"host.example"} }, "not among those that may be asked", false},
		{"without any host", "/ca.cer", func(f *chain.Fetch) { f.Hosts = nil }, "not among those that may be asked", false},
		{"from loopback, if that is not allowed", "/ca.cer", func(f *chain.Fetch) { f.AllowPrivate = false }, "not an address of the public Internet", false},
		{"by a redirect to http", "/elsewhere.cer", nil, "from http to https only", true},
		{"what is missing there", "/none.cer", nil, "404 Not Found", true},
		{"a web page", "/page.html", nil, "no certificate", true},
		{"garbage", "/garbage.cer", nil, "no certificate", true},
		{"half a certificate", "/cut.cer", nil, "no certificate", true},
		{"nothing", "/empty.cer", nil, "no certificate", true},
		{"a large file", "/large.cer", nil, "more than 1048576 bytes", true},
		{"more than the limit", "/ca.cer", func(f *chain.Fetch) { f.MaxBytes = 100 }, "more than 100 bytes", true},
		{"a key", "/key.pem", nil, "no certificate", true},
		{"an XML document", "/metadata.xml", nil, "it is XML", true},
		{"very many certificates", "/many.p7c", nil, "33 certificates", true},
		{"a byte now and then", "/slow.cer", func(f *chain.Fetch) { f.Timeout = 200 * time.Millisecond }, "within 200ms", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			p.asked = nil
			f := p.fetch()
			if test.fetch != nil {
				test.fetch(&f)
			}
			leaf := issuing.issue("host.example", p.at(test.path))
			v := mustVerifier(truststore.New(root.Certificate), truststore.New(), chain.WithFetch(f))
			_, err := v.Complete(context.Background(), []*x509.Certificate{leaf}, now)
			var failed *chain.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, chain.UnknownAuthority, failed.Reason)
			assert.ErrorContains(t, err, test.says)
			assert.Equal(t, test.asked, len(p.asked) > 0)
			assert.Less(t, len(err.Error()), 2000)
		})
	}

	t.Run("a certificate that did not sign", func(t *testing.T) {
		leaf := issuing.issue("host.example", p.at("/namesake.cer", "/ca.cer"))
		v := mustVerifier(truststore.New(root.Certificate), truststore.New(), chain.WithFetch(p.fetch()))
		c, err := v.Complete(context.Background(), []*x509.Certificate{leaf}, now)
		require.NoError(t, err)
		assert.True(t, c[1].Equal(issuing.Certificate))
	})
	t.Run("a root that is not trusted", func(t *testing.T) {
		v := mustVerifier(truststore.New(newRoot("Other").Certificate), truststore.New(), chain.WithFetch(p.fetch()))
		p.publish("/all.p7c", pkcs7(t, issuing.Certificate, root.Certificate))
		_, err := v.Complete(context.Background(), []*x509.Certificate{issuing.issue("host.example", p.at("/all.p7c"))}, now)
		var failed *chain.Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, chain.UnknownAuthority, failed.Reason)
		assert.Len(t, failed.Chain, 3, "the path as far as it goes")
	})
}

func TestCompleteEndsFetching(t *testing.T) {
	p := newPublisher(t)
	root := newRoot("Root")
	// CAs without end, each of which names the next.
	next := newRoot("Top")
	for i := range 20 {
		p.publish(fmt.Sprintf("/%d.cer", i), next.Raw)
		next = next.issueCA(fmt.Sprintf("CA %d", i), p.at(fmt.Sprintf("/%d.cer", i)))
	}
	leaf := next.issue("host.example", p.at("/20.cer"))
	p.publish("/20.cer", next.Raw)
	urls := make([]string, 100)
	for i := range urls {
		urls[i] = fmt.Sprintf("/none-%d.cer", i)
	}

	for _, test := range []struct {
		name string
		leaf *x509.Certificate
		most int
		want int
	}{
		{"after four by default", leaf, 0, 4},
		{"after as many as are allowed", leaf, 2, 2},
		{"also where there are many URLs", root.issueCA("CA").issue("host.example", p.at(urls...)), 3, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			p.asked = nil
			f := p.fetch()
			f.MaxFetches = test.most
			v := mustVerifier(truststore.New(root.Certificate), truststore.New(), chain.WithFetch(f))
			_, err := v.Complete(context.Background(), []*x509.Certificate{test.leaf}, now)
			assert.Error(t, err)
			assert.Len(t, p.asked, test.want)
		})
	}

	t.Run("with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		p.files["/wait.cer"] = func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		}
		v := mustVerifier(truststore.New(root.Certificate), truststore.New(), chain.WithFetch(p.fetch()))
		_, err := v.Complete(ctx, []*x509.Certificate{root.issueCA("CA").issue("host.example", p.at("/wait.cer"))}, now)
		assert.ErrorIs(t, err, context.Canceled)
	})
}

func TestWithFetchRefuses(t *testing.T) {
	l := newLayers()
	for _, test := range []struct {
		name  string
		fetch chain.Fetch
		says  string
	}{
		{"a URL as a host", chain.Fetch{Hosts: []string{"http://host.example"}}, "no URL"},
		{"a negative number", chain.Fetch{MaxFetches: -1}, "MaxFetches is negative"},
		{"a negative time", chain.Fetch{Timeout: -1}, "negative"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := chain.NewVerifier(l.roots(), l.intermediates(), chain.WithFetch(test.fetch))
			require.ErrorContains(t, err, test.says)
			assert.True(t, strings.HasPrefix(err.Error(), "chain: "), err.Error())
		})
	}
}

// Whoever replaces a verifier has no means to close what the old one left open.
func TestFetchLeavesNoConnection(t *testing.T) {
	var left sync.WaitGroup
	p := &publisher{files: map[string]http.HandlerFunc{}}
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA")
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(issuing.Raw) }))
	p.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			left.Add(1)
		case http.StateClosed:
			left.Done()
		}
	}
	p.Start()
	defer p.Close()
	v := mustVerifier(truststore.New(root.Certificate), truststore.New(), chain.WithFetch(p.fetch()))
	_, err := v.Complete(t.Context(), []*x509.Certificate{issuing.issue("host.example", p.at("/ca.cer"))}, now)
	require.NoError(t, err)

	closed := make(chan struct{})
	go func() { left.Wait(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		assert.Fail(t, "a connection stays open")
	}
}
