package logius

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// NewClient returns an http.Client for one environment of the service. It trusts the
// hierarchies that the service needs (Hierarchies and Successors) and no others, asks for
// the service's TSP if there is one, and connects to the hosts of that environment only, at
// port 443: any other request or redirect is an error before anything is dialled. It is an
// error if no host is known.
//
// cfg says the rest; its Trust.Hierarchies must be empty, and its Roots are trusted as well.
// To have a stand-in answer in place of the service, dial it in cfg.Base.DialContext: its
// certificate must be for the service's name.
func (s Service) NewClient(env Environment, cfg pkioverheid.ClientConfig) (*http.Client, error) {
	hosts, err := s.hostsOf(env)
	if err != nil {
		return nil, err
	}
	if cfg.Trust, err = s.trust(cfg.Trust); err != nil {
		return nil, err
	}
	t, err := pkioverheid.NewTransport(cfg)
	if err != nil {
		return nil, fmt.Errorf("logius: %s: %w", safetext.Quote(s.Name), err)
	}
	return &http.Client{Transport: &transport{t, hosts}}, nil
}

// Verifier returns a Verifier that trusts what the clients of the service do, for
// certificates that come in documents: see [CPA.Check]. Hierarchies of t must be empty.
func (s Service) Verifier(t pkioverheid.Trust) (*pkioverheid.Verifier, error) {
	t, err := s.trust(t)
	if err != nil {
		return nil, err
	}
	v, err := pkioverheid.NewVerifier(t)
	if err != nil {
		return nil, fmt.Errorf("logius: %s: %w", safetext.Quote(s.Name), err)
	}
	return v, nil
}

// trust completes what the caller said with what the service needs.
func (s Service) trust(t pkioverheid.Trust) (pkioverheid.Trust, error) {
	if len(t.Hierarchies) > 0 {
		return t, fmt.Errorf("logius: %s: Trust.Hierarchies must be empty: change Service.Hierarchies or Service.Successors", safetext.Quote(s.Name))
	}
	if trusted := s.trusted(); len(trusted) == 0 {
		t.OnlyRoots = true // none, not all of them
	} else if !t.OnlyRoots {
		t.Hierarchies = trusted
	}
	if s.TSP != "" {
		t.Policy = chain.All(issuedBy(s.TSP), t.Policy)
	}
	return t, nil
}

// issuedBy is the policy that accepts certificates of one provider: the CA that
// issued the end-entity certificate must be known by its key as the provider's. A CA,
// which a CPA may name as an anchor, is the provider's itself or is above it.
func issuedBy(tsp pkioverheid.TSP) chain.Policy {
	return func(c chain.Chain, at time.Time) error {
		if own, ok := pkioverheid.ClaimOf(c.Leaf()); ok && own.By == pkioverheid.ByKey && (own.TSP == tsp || own.Role == pkioverheid.Root || own.Role == pkioverheid.DomainCA) {
			return nil
		}
		if len(c) > 1 {
			ca, ok := pkioverheid.ClaimOf(c[1])
			if ok && ca.By == pkioverheid.ByKey && ca.Role == pkioverheid.TSPCA && ca.TSP == tsp {
				return nil
			}
		}
		return &chain.Error{Reason: chain.RefusedByPolicy, Chain: c, Cert: c.Leaf(), At: at, Err: []error{
			fmt.Errorf("logius: it was not issued by a CA that is known, by its key, to be of %s", tsp)}}
	}
}

// hosts are the names that a client may connect to.
type hosts struct {
	service string
	env     Environment
	names   map[string]bool // in lower case
}

func (s Service) hostsOf(env Environment) (*hosts, error) {
	h := &hosts{safetext.Quote(s.Name), env, map[string]bool{}}
	for _, host := range s.Hosts {
		if host.Environment != env {
			continue
		}
		if !isHostName(host.Name) {
			return nil, fmt.Errorf("logius: %s: %s is not the name of a host: want a DNS name, without scheme, port or path", h.service, safetext.Quote(host.Name))
		}
		h.names[strings.ToLower(host.Name)] = true
	}
	switch {
	case env == "":
		return nil, fmt.Errorf("logius: %s: no environment is given: say which, %q for one", h.service, Production)
	case len(h.names) == 0:
		return nil, fmt.Errorf("logius: %s: no host is known of the environment %s: add it to Service.Hosts", h.service, safetext.Quote(string(env)))
	}
	return h, nil
}

// isHostName takes DNS names in ASCII with a dot in them.
func isHostName(s string) bool {
	if len(s) > 253 || !strings.Contains(s, ".") {
		return false
	}
	letter := false
	for _, label := range strings.Split(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			switch {
			case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
				letter = true
			case r >= '0' && r <= '9', r == '-':
			default:
				return false
			}
		}
	}
	return letter // else it is an IP address
}

func (h *hosts) check(name string) error {
	if h.names[strings.ToLower(name)] {
		return nil
	}
	return fmt.Errorf("logius: refused to connect to %s: it is not a host of %s, %s", safetext.Quote(name), h.service, h.env)
}

// transport lets requests for the hosts through.
type transport struct {
	*pkioverheid.Transport
	hosts *hosts
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.check(req); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	return t.Transport.RoundTrip(req)
}

func (t *transport) check(req *http.Request) error {
	if req.URL == nil {
		return errors.New("logius: the request has no URL")
	}
	if err := t.hosts.check(req.URL.Hostname()); err != nil {
		return err
	}
	if port := req.URL.Port(); port != "" && port != "443" {
		return fmt.Errorf("logius: refused to connect to port %s of %s: %s is at port 443", safetext.Quote(port), safetext.Quote(req.URL.Hostname()), t.hosts.service)
	}
	return nil // the scheme is the Transport's to check
}
