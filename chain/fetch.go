package chain

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain/internal/fetch"
	"github.com/go-pkioverheid/trust/chain/internal/quote"
	"github.com/go-pkioverheid/trust/truststore"
)

const (
	defaultMaxFetches = 4
	// maxFetchedCerts bounds what one answer adds to the candidates.
	maxFetchedCerts = 32
)

// Fetch says how [Verifier.Complete] may fetch issuers that are missing from the
// caIssuers URLs of certificates (RFC 5280 section 4.2.2.1). The URLs are whatever
// somebody wrote into a certificate; so only hosts that are named here are asked,
// and by default none of a private network.
type Fetch struct {
	// Client, if not nil, brings its Transport and its Timeout, if that is
	// shorter; its Jar and CheckRedirect are not used. An *http.Transport is
	// cloned, with its proxy and its dial functions, and what these connect to is
	// checked before anything is sent; behind a proxy, and with any other
	// RoundTripper, only the hosts and addresses in the URLs are. Nil means a client
	// that trusts the roots of the system and uses no proxy, whatever the
	// environment says.
	Client *http.Client

	// Hosts are the hosts that may be asked: names or addresses, exact but for
	// case; with a port, that port only, and without one, the default port of the
	// URL's scheme only. "*" means any host and port. No hosts: nothing is fetched.
	Hosts []string

	// AllowPrivate allows addresses that are not of the public Internet, such as
	// loopback, private and link-local ones.
	AllowPrivate bool

	// Timeout is for one fetch, from the look-up of the name to the last byte.
	// Zero means 10 seconds.
	Timeout time.Duration

	// MaxBytes is how large an answer may be. Zero means 1 MiB.
	MaxBytes int64

	// MaxFetches is how many URLs one call of Complete may ask, those that fail
	// included. Zero means 4.
	MaxFetches int
}

// WithFetch lets [Verifier.Complete] and [Verifier.CompleteKeyPair] fetch issuers
// that are missing, which they do not without. Verify, Check, Explain and the pools
// never do. A second WithFetch replaces the first.
//
// One http or https URL of a certificate is asked after the other, none twice, and
// only where the path found so far ends below a root and nobody at hand signed
// its last certificate. A redirect is followed once, from http to https and to an
// allowed host. What comes may be one certificate (DER or PEM) or a PKCS#7 of
// several; it is not trusted: signatures decide whether it belongs to the path.
func WithFetch(f Fetch) Option {
	return func(s *state) { s.fetch = &f }
}

// fetcher is what a Fetch amounts to.
type fetcher struct {
	*fetch.Fetcher
	most int
}

func newFetcher(f *Fetch) (*fetcher, error) {
	if f == nil {
		return nil, nil
	}
	if f.MaxFetches < 0 {
		return nil, errors.New("chain: Fetch.MaxFetches is negative: zero means the default")
	}
	inner, err := fetch.New(fetch.Config{
		Client:       f.Client,
		Hosts:        f.Hosts,
		AllowPrivate: f.AllowPrivate,
		Timeout:      f.Timeout,
		MaxBytes:     f.MaxBytes,
	})
	if err != nil {
		return nil, fmt.Errorf("chain: %w", err)
	}
	most := f.MaxFetches
	if most == 0 {
		most = defaultMaxFetches
	}
	return &fetcher{inner, most}, nil
}

// climbFetching climbs from leaf, and fetches what is missing above where that
// ends, which it adds to extra. The error is ctx's; failed are those of the
// fetches.
func (s *state) climbFetching(ctx context.Context, leaf *x509.Certificate, extra *truststore.Store, at time.Time) (c climbed, failed []error, err error) {
	c = s.climb(leaf, extra, at)
	if s.fetcher == nil {
		return c, nil, nil
	}
	defer s.fetcher.Close() // no connection outlives the call
	asked := map[string]bool{}
	for !c.rooted && len(asked) < s.fetcher.most {
		url := missingIssuer(c.path[len(c.path)-1], asked)
		if url == "" {
			break
		}
		asked[url] = true
		found, err := s.fetcher.certificates(ctx, url)
		if ctx.Err() != nil {
			return c, failed, ctx.Err()
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if extra.Add(found...) > 0 {
			c = s.climb(leaf, extra, at)
		}
	}
	return c, failed, nil
}

// missingIssuer returns the first URL that was not asked yet; "" if there is none.
func missingIssuer(cert *x509.Certificate, asked map[string]bool) string {
	if selfIssued(cert) {
		return ""
	}
	for _, url := range cert.IssuingCertificateURL {
		scheme, _, _ := strings.Cut(url, ":")
		if (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")) && !asked[url] {
			return url
		}
	}
	return ""
}

// certificates fetches what RFC 5280 section 4.2.2.1 allows behind a URL, and PEM,
// which some serve.
func (f *fetcher) certificates(ctx context.Context, url string) ([]*x509.Certificate, error) {
	res, err := f.Get(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	what := func(err error) error {
		return fmt.Errorf("fetch %s: the answer is no certificate and no PKCS#7 of certificates: %w", quote.URL(url), err)
	}
	format, err := truststore.Detect(res.Body)
	if err != nil {
		return nil, what(err)
	}
	switch format {
	case truststore.DER, truststore.PEM, truststore.PKCS7:
	default:
		return nil, what(fmt.Errorf("it is %v", format))
	}
	found, err := truststore.Decode(res.Body)
	if err != nil {
		return nil, what(err)
	}
	if found.Len() > maxFetchedCerts {
		return nil, what(fmt.Errorf("it holds %d certificates, and more than %d are not looked at", found.Len(), maxFetchedCerts))
	}
	return slices.Collect(found.All()), nil
}
