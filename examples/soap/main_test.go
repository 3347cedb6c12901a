package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooklift/gowsdl/soap"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func TestEveryOutcomeIsAsItShouldBe(t *testing.T) {
	var out strings.Builder
	require.NoError(t, demonstrate(&out))
	parts := strings.Split(strings.TrimSpace(out.String()), "\n\n")
	require.Len(t, parts, 7, out.String())
	for i, want := range [][]string{
		{"we refuse the service's certificate", `is under "KPN BV PKIoverheid Organisatie Server CA - G3", which was withdrawn`},
		{"may B act for A? true"},
		{"may B act for A? true"},
		{"may B act for A? true"},
		{"the service refuses our certificate", "G3 is no longer accepted"},
		{"the service refuses our certificate", "OIN " + string(stranger) + " is not on the list"},
		{"the service answers: two persons are needed"},
	} {
		for _, text := range want {
			assert.Contains(t, parts[i], text)
		}
	}
}

func running(t *testing.T, h pkioverheid.Hierarchy) *standIn {
	s, err := newStandIn(h)
	require.NoError(t, err)
	t.Cleanup(s.close)
	return s
}

func TestTheAnswerIsTheServices(t *testing.T) {
	s := running(t, g1)
	response, err := s.ask(issue(g1, connected), &CheckAuthorisation{Represented: "A", Representative: "<&B"})
	require.NoError(t, err)
	assert.False(t, response.Granted)
}

func TestTheServiceRefusesOtherCallers(t *testing.T) {
	s := running(t, g1)
	_, err := s.ask(issue(g1, connected), &CheckAuthorisation{Represented: "A", Representative: "B"})
	require.NoError(t, err)
	for name, cfg := range map[string]pkioverheid.ClientConfig{
		"without a certificate": {Trust: fixtures()},
		"under G3":              issue(g3, connected),
		"with another OIN":      issue(g4, stranger),
		"without an OIN":        issue(g1, ""),
		"as a person":           issueLeaf(g1, pkiotest.Leaf{OIN: connected, Policies: []string{"2.16.528.1.1003.1.2.8.1"}}),
		"with an expired one":   issueLeaf(g1, pkiotest.Leaf{OIN: connected, NotAfter: time.Now().AddDate(0, 0, -1)}),
	} {
		t.Run(name, func(t *testing.T) {
			cfg.AllowUnsuitable = true // the service is to refuse it
			_, err := s.ask(cfg, &CheckAuthorisation{Represented: "A", Representative: "B"})
			var ours *pkioverheid.ClientCertificateError
			assert.ErrorAs(t, err, &ours)
		})
	}
}

func TestAG3ServiceIsRefusedThroughGowsdl(t *testing.T) {
	_, err := running(t, g3).ask(issue(g1, connected), &CheckAuthorisation{})
	var withdrawn *pkioverheid.G3Error
	require.ErrorAs(t, err, &withdrawn)
	assert.True(t, withdrawn.Withdrawn)
}

// A handshake with certificates on both sides is what a call costs.
func TestCallsShareAConnection(t *testing.T) {
	s := running(t, g4)
	cfg := issue(g4, connected)
	var dialled atomic.Int32
	cfg.Base = &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialled.Add(1)
		return s.dial(ctx, network, addr)
	}}
	p, err := newPort(cfg)
	require.NoError(t, err)
	for range 3 {
		_, err := p.CheckAuthorisation(t.Context(), &CheckAuthorisation{Represented: "A", Representative: "B"})
		require.NoError(t, err)
	}
	assert.EqualValues(t, 1, dialled.Load())
}

// answers is an http.RoundTripper that gives one answer.
type answers string

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(io.MultiReader(
		strings.NewReader(string(a)), endless{}))}, nil
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestAnAnswerWithoutEndIsAnError(t *testing.T) {
	const begin = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>`
	client := soap.NewClient(endpoint, soap.WithHTTPClient(caller{&http.Client{Transport: answers(begin)}}))
	_, err := (&port{client}).CheckAuthorisation(t.Context(), &CheckAuthorisation{})
	assert.ErrorContains(t, err, "too large")
}

func TestNobodyButTheServiceIsCalled(t *testing.T) {
	client, err := newHTTPClient(pkioverheid.ClientConfig{})
	require.NoError(t, err)
	for _, url := range []string{"https://soap.machtigen.digid.nl/", "https://localhost/", "http://" + host + "/"} {
		other := soap.NewClient(url, soap.WithHTTPClient(client))
		err := other.CallContext(t.Context(), "", &CheckAuthorisation{}, new(CheckAuthorisationResponse))
		assert.ErrorContains(t, err, "refused to c", url)
	}
}
