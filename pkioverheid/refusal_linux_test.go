package pkioverheid_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// metered measures the CPU time of its thread in each request.
type metered struct {
	next http.Handler
	mu   sync.Mutex
	took []time.Duration
}

func (m *metered) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := threadCPU()
	m.next.ServeHTTP(w, r)
	took := threadCPU() - before
	m.mu.Lock()
	m.took = append(m.took, took)
	m.mu.Unlock()
}

func threadCPU() time.Duration {
	const clock = 3 // CLOCK_THREAD_CPUTIME_ID
	var now syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&now)), 0); errno != 0 {
		panic(errno)
	}
	return time.Duration(now.Nano())
}

// refusalLimit is what the refusal of a request may cost here: refusalCPU, or 100 checks of a
// signature with P-256 where the machine is slow.
var refusalLimit = sync.OnceValue(func() time.Duration {
	key, hash := strangerKey().(*ecdsa.PrivateKey), make([]byte, sha256.Size)
	sig, err := key.Sign(rand.Reader, hash, crypto.SHA256)
	if err != nil {
		panic(err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	check := time.Hour
	for range 50 {
		before := threadCPU()
		if !ecdsa.VerifyASN1(&key.PublicKey, hash, sig) {
			panic("the signature does not fit")
		}
		check = min(check, threadCPU()-before)
	}
	return max(refusalCPU, 100*check)
})

// least returns the fastest request: others on the machine make it seem slower.
func (m *metered) least() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Min(m.took)
}

// largeCertificates are certificates of some size that a stranger can make, by what
// they have much of.
func largeCertificates(size int) map[string]func(*x509.Certificate) {
	text := strings.Repeat("a", size)
	names := func(each int, name string) (all []string) {
		for i := range size / each {
			all = append(all, fmt.Sprintf(name, i))
		}
		return all
	}
	oid := func(n int, b byte) []byte { return append(slices.Repeat([]byte{b}, n-1), 1) }
	extension := func(id asn1.ObjectIdentifier, value any) func(*x509.Certificate) {
		der, err := asn1.Marshal(value)
		if err != nil {
			panic(err)
		}
		return func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: id, Value: der})
		}
	}
	type policyInformation struct{ Policy asn1.RawValue }
	policy := func(der []byte) policyInformation {
		return policyInformation{asn1.RawValue{Tag: asn1.TagOID, Bytes: der}}
	}
	var policies []policyInformation
	for i := range size / 8 {
		policies = append(policies, policy([]byte{0x2a, 1, 0x81, byte(i>>14&0x7f | 0x80), byte(i>>7&0x7f | 0x80), byte(i & 0x7f)}))
	}
	idPolicies := asn1.ObjectIdentifier{2, 5, 29, 32}
	return map[string]func(*x509.Certificate){
		"a long name": func(c *x509.Certificate) { c.Subject.CommonName = text },
		"many attributes": func(c *x509.Certificate) {
			for range size / 14 {
				c.Subject.ExtraNames = append(c.Subject.ExtraNames, attribute("a", 2, 5, 4, 11))
			}
		},
		"many attributes that crypto/x509 has no name for": func(c *x509.Certificate) {
			for range size / 14 {
				c.Subject.ExtraNames = append(c.Subject.ExtraNames, attribute("a", 2, 5, 4, 97))
			}
		},
		"an attribute with many values": func(c *x509.Certificate) { c.Subject.Organization = names(12, "%d") },
		"an attribute with a long type": func(c *x509.Certificate) {
			c.Subject.ExtraNames = append(c.Subject.ExtraNames, attribute("a", append([]int{1, 2}, make([]int, size)...)...))
		},
		"control characters":       func(c *x509.Certificate) { c.Subject.CommonName = strings.Repeat("\x1b", size) },
		"many DNS names":           func(c *x509.Certificate) { c.DNSNames = names(16, "a%d.example") },
		"a long DNS name":          func(c *x509.Certificate) { c.DNSNames = []string{strings.Repeat("a.", size/2) + "a"} },
		"many mail addresses":      func(c *x509.Certificate) { c.EmailAddresses = names(16, "a%d@example") },
		"many URIs":                func(c *x509.Certificate) { c.URIs = urls(names(24, "http://a%d.example/")) },
		"many addresses":           func(c *x509.Certificate) { c.IPAddresses = slices.Repeat([]net.IP{{127, 0, 0, 1}}, size/6) },
		"a policy of one number":   extension(idPolicies, []policyInformation{policy(oid(size, 0xff))}),
		"a policy of many numbers": extension(idPolicies, []policyInformation{policy(oid(size, 1))}),
		"many policies":            extension(idPolicies, policies),
		"many uses": func(c *x509.Certificate) {
			c.ExtKeyUsage = nil
			for i := range size / 6 {
				c.UnknownExtKeyUsage = append(c.UnknownExtKeyUsage, asn1.ObjectIdentifier{1, 2, 3, i})
			}
		},
		"many places of CRLs":    func(c *x509.Certificate) { c.CRLDistributionPoints = names(32, "http://a%d.example/") },
		"many places of issuers": func(c *x509.Certificate) { c.IssuingCertificateURL = names(32, "http://a%d.example/") },
		"many name constraints": func(c *x509.Certificate) {
			c.IsCA, c.BasicConstraintsValid = true, true
			c.ExcludedDNSDomains = names(16, "a%d.example")
		},
		"many extensions": func(c *x509.Certificate) {
			for i := range size / 14 {
				c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, i}})
			}
		},
		"many extensions that are critical": func(c *x509.Certificate) {
			for i := range size / 18 {
				c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, i}, Critical: true})
			}
		},
		"an extension with a long type": func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: append(asn1.ObjectIdentifier{1, 2}, make([]int, size)...)})
		},
		"a long key identifier": func(c *x509.Certificate) { c.SubjectKeyId = []byte(text) },
	}
}

func attribute(value string, oid ...int) pkix.AttributeTypeAndValue {
	return pkix.AttributeTypeAndValue{Type: oid, Value: value}
}

func urls(texts []string) (all []*url.URL) {
	for _, text := range texts {
		u, err := url.Parse(text)
		if err != nil {
			panic(err)
		}
		all = append(all, u)
	}
	return all
}

// strangerPair makes a certificate that nobody vouches for: signed with its own key, or
// with that key in the name of a CA that is trusted.
func strangerPair(t testing.TB, large func(*x509.Certificate), inNameOf *x509.Certificate) tls.Certificate {
	t.Helper()
	key := strangerKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "stranger", SerialNumber: string(someOIN)},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	large(template)
	issuer := template
	if inNameOf != nil {
		issuer = &x509.Certificate{RawSubject: inNameOf.RawSubject, SubjectKeyId: inNameOf.SubjectKeyId}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

var strangerKey = sync.OnceValue(func() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

// fitting makes the largest certificate of this kind that has at most so many bytes.
func fitting(t testing.TB, most int, kind string, inNameOf *x509.Certificate) tls.Certificate {
	t.Helper()
	for size := most - 1024; size > 0; {
		pair := strangerPair(t, largeCertificates(size)[kind], inNameOf)
		if got := len(pair.Certificate[0]); got > most {
			size = size*most/got - 64
			continue
		}
		return pair
	}
	require.Fail(t, "no certificate is small enough")
	return tls.Certificate{}
}

// The header is not from a real proxy here, so that it may be as large as is read.
func TestRefusingALargeHeaderCostsLittle(t *testing.T) {
	authority := pkiotest.New(pkioverheid.PrivateG1)
	ca := authority.Certificates()[len(authority.Certificates())-1]
	for kind := range largeCertificates(1) {
		for by, issuer := range map[string]*x509.Certificate{"by itself": nil, "in the name of a CA": ca} {
			t.Run(kind+", "+by, func(t *testing.T) {
				ask, m, inside := headersInto(t, pkioverheid.HAProxyDER)
				for n := 0; n < 1 || n < 24 && m.least() >= refusalLimit(); n++ {
					ask(base64.StdEncoding.EncodeToString(fitting(t, maxClientCert/4*3, kind, issuer).Certificate[0]))
				}
				each := m.least()
				t.Log(each)
				assert.Less(t, each, refusalLimit())
				assert.Zero(t, inside.calls.Load())
			})
		}
	}
}

// What Envoy sends beside the certificate is all from the caller, who makes of it what
// takes long to find a path in.
func TestRefusingAChainThatLeadsAstrayCostsLittle(t *testing.T) {
	curve := func(c elliptic.Curve) func() crypto.Signer {
		return func() crypto.Signer {
			key, err := ecdsa.GenerateKey(c, rand.Reader)
			require.NoError(t, err)
			return key
		}
	}
	p256, p384, p521 := curve(elliptic.P256()), curve(elliptic.P384()), curve(elliptic.P521())
	for _, c := range []struct {
		name string
		key  func() crypto.Signer
		keys int // how many different ones
		cas  func(i int) (subject, issuer string)
		rsa  int // bits of a modulus that no signature fits
	}{
		{"of one name and key, P-256", p256, 1, func(int) (string, string) { return "a", "a" }, 0},
		{"of one name and key, P-384", p384, 1, func(int) (string, string) { return "a", "a" }, 0},
		{"of one name and key, P-521", p521, 1, func(int) (string, string) { return "a", "a" }, 0},
		{"of one name and many keys, P-521", p521, 10, func(int) (string, string) { return "a", "a" }, 0},
		{"of two names that issue one another, P-256", p256, 1, func(i int) (string, string) { return fmt.Sprint(i % 2), fmt.Sprint((i + 1) % 2) }, 0},
		{"one below the other, P-521", p521, 1, func(i int) (string, string) { return fmt.Sprint(i), fmt.Sprint(i + 1) }, 0},
		{"of one name and many RSA keys of 8192 bits", p256, 1, func(int) (string, string) { return "a", "a" }, 8192},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask, m, inside := headersInto(t, pkioverheid.EnvoyXFCC)
			var keys []crypto.Signer
			for range c.keys {
				keys = append(keys, c.key())
			}
			for n := 0; n < 1 || n < 24 && m.least() >= refusalLimit(); n++ {
				var chain []*x509.Certificate
				for i := -1; i < 9; i++ {
					key, parent := keys[(i+c.keys)%c.keys], keys[(i+1)%c.keys]
					subject, issuer := c.cas(i)
					if i < 0 {
						subject = "stranger"
					}
					public := key.Public()
					if c.rsa > 0 && i >= 0 {
						modulus, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(c.rsa)))
						require.NoError(t, err)
						public = &rsa.PublicKey{N: modulus.SetBit(modulus, 0, 1).SetBit(modulus, c.rsa-1, 1), E: 65537}
					}
					template := &x509.Certificate{
						SerialNumber: big.NewInt(int64(100*n + i + 2)), Subject: pkix.Name{CommonName: subject},
						NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
						DNSNames: []string{fmt.Sprintf("a%d.example", i)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
						IsCA: i >= 0, BasicConstraintsValid: true,
					}
					der, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{Subject: pkix.Name{CommonName: issuer}}, public, parent)
					require.NoError(t, err)
					cert, err := x509.ParseCertificate(der)
					require.NoError(t, err)
					chain = append(chain, cert)
				}
				ask(`Chain="` + xfccPEM(chain...) + `"`)
			}
			each := m.least()
			t.Log(each)
			assert.Less(t, each, refusalLimit())
			assert.Zero(t, inside.calls.Load())
		})
	}
}

// Signatures of a CA that fit nothing cost as much as those that do.
func TestRefusingAlteredCertificatesCostsLittle(t *testing.T) {
	authority := pkiotest.New(pkioverheid.PrivateG1)
	altered := func(cert *x509.Certificate, by int) *x509.Certificate {
		der := bytes.Clone(cert.Raw)
		at := bytes.Index(der, cert.SerialNumber.Bytes())
		require.Positive(t, at)
		der[at+len(cert.SerialNumber.Bytes())-1] ^= byte(by)
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		return cert
	}
	leaf, cas := authority.Issue(pkiotest.Leaf{}).Leaf, authority.Certificates()
	issuer := cas[slices.IndexFunc(cas, func(ca *x509.Certificate) bool { return bytes.Equal(ca.RawSubject, leaf.RawIssuer) })]
	ask, m, inside := headersInto(t, pkioverheid.EnvoyXFCC)
	for n := 0; n < 1 || n < 24 && m.least() >= refusalLimit(); n++ {
		all := []*x509.Certificate{altered(leaf, n+1)}
		for i := range 9 {
			all = append(all, altered(issuer, 10*n+i+1))
		}
		ask(`Chain="` + xfccPEM(all...) + `"`)
	}
	each := m.least()
	t.Log(each)
	assert.Less(t, each, refusalLimit())
	assert.Zero(t, inside.calls.Load())
}

// headersInto sends headers as a proxy would.
func headersInto(t testing.TB, format pkioverheid.ProxyFormat) (ask func(value string), m *metered, inside *welcome) {
	t.Helper()
	h, inside, _ := guarded(t, pkioverheid.ServerConfig{Proxy: &pkioverheid.Proxy{Format: format, Header: "X-Client-Cert", From: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}}}, pkioverheid.AllowAnySystem())
	m = &metered{next: h}
	return func(value string) {
		t.Helper()
		require.LessOrEqual(t, len(value), maxClientCert)
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "192.0.2.1:1234"
		r.Header.Set("X-Client-Cert", value)
		m.ServeHTTP(httptest.NewRecorder(), r)
	}, m, inside
}

const maxClientCert = 64 << 10 // as in proxy.go

// A real nginx leaves refusals to us. Each stranger asks several times over one
// connection, and not even the first time may cost much.
func TestRefusingWhatGetsThroughNginxCostsLittle(t *testing.T) {
	program(t, "nginx")
	address, m := behindNginx(t)
	for kind := range largeCertificates(1) {
		first, later := time.Hour, time.Hour
		// On a busy machine cold caches cost more than the work: it is tried until it was seen.
		for try := 0; try < 1 || try < 10 && max(first, later*4) >= refusalLimit(); try++ {
			took := refusedBehindNginx(t, address, m, fitting(t, 45_000, kind, nil), 5)
			if took == nil {
				t.Logf("%s: nginx refuses it", kind)
				first = 0
				break
			}
			first, later = min(first, took[0]), min(later, slices.Min(took[1:]))
		}
		if first > 0 {
			t.Logf("%s: %v, then %v", kind, first, later)
			assert.Less(t, first, refusalLimit(), kind)
			assert.Less(t, later, refusalLimit()/4, kind)
		}
	}
}

// The subject is the one of 44 KB that once cost 170 ms in every request.
func BenchmarkRefusalBehindNginx(b *testing.B) {
	program(b, "nginx")
	address, m := behindNginx(b)
	pair := fitting(b, 45_000, "many attributes that crypto/x509 has no name for", nil)
	var took []time.Duration
	for b.Loop() {
		took = append(took, refusedBehindNginx(b, address, m, pair, 10)...)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "cpu-µs/request")
	b.ReportMetric(float64(took[len(took)-1].Microseconds()), "cpu-µs/worst-request")
}

func behindNginx(t testing.TB) (address string, m *metered) {
	t.Helper()
	h, _, _ := guarded(t, pkioverheid.ServerConfig{Proxy: &pkioverheid.Proxy{Format: pkioverheid.NginxEscapedPEM, Header: "X-Client-Cert", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}}}, pkioverheid.AllowAnySystem())
	m = &metered{next: h}
	backend := httptest.NewServer(m)
	t.Cleanup(backend.Close)
	return nginxWith(t, pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}),
		"proxy_pass "+backend.URL+"; proxy_bind 127.0.0.2; proxy_http_version 1.1; proxy_set_header X-Client-Cert $ssl_client_escaped_cert;",
		"ssl_verify_client optional_no_ca"), m
}

// refusedBehindNginx sends requests over one connection, and returns what each took;
// nil if they do not get through.
func refusedBehindNginx(t testing.TB, address string, m *metered, own tls.Certificate, n int) []time.Duration {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs:              pkiotest.New(pkioverheid.PrivateG1).Roots().CertPool(),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own, nil },
	}}}
	defer client.CloseIdleConnections()
	m.mu.Lock()
	m.took = nil
	m.mu.Unlock()
	for range n {
		resp, err := client.Get(address)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		require.NoError(t, err)
		require.Contains(t, []int{400, 403}, resp.StatusCode, "%s", body)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.took) == 0 {
		return nil
	}
	require.Len(t, m.took, n)
	return m.took
}
