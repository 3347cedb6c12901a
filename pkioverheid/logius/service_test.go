package logius_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

var discard = log.New(io.Discard, "", 0)

func TestServicesAreWhatWasPublished(t *testing.T) {
	services := logius.Services()
	want := map[string][]string{ // facts.md §4
		"BSNk":                               nil,
		"DigiD":                              {"was-preprod1.digid.nl", "was.digid.nl"},
		"DigiD Machtigen":                    {"soap.pp.machtigen.digid.nl", "soap.ontwikkel.machtigen.digid.nl", "soap.acceptatie.machtigen.digid.nl", "soap.machtigen.digid.nl"},
		"MijnOverheid Persoonlijke Gegevens": {"osb.preprod.mijnoverheid.nl", "osb.mijnoverheid.nl", "osb.dn.preprod.mijnoverheid.nl", "osb.kps.mijnoverheid.nl"},
		"MijnOverheid Lopende Zaken":         {"osb.preprod.mijnoverheid.nl", "osb.mijnoverheid.nl", "osb.dn.preprod.mijnoverheid.nl", "osb.kps.mijnoverheid.nl"},
		"MijnOverheid Berichtenbox":          nil,
	}
	assert.Len(t, services, len(want))
	for _, s := range services {
		hosts, ok := want[s.Name]
		require.True(t, ok, s.Name)
		var got []string
		for _, h := range s.Hosts {
			got = append(got, h.Name)
			assert.NotEmpty(t, h.Environment)
		}
		assert.Equal(t, hosts, got, s.Name)
		assert.Contains(t, []string{"SAML", "SOAP", "ebMS2"}, s.Protocol)
		assert.Contains(t, s.Hierarchies, pkioverheid.PrivateG1)
		assert.Equal(t, []pkioverheid.Hierarchy{pkioverheid.PrivateG4TLS}, s.Successors)
		assert.NotEmpty(t, s.Notes)
	}

	// What one caller changes is its own.
	services[1].Hosts[0].Name, services[1].Hierarchies[0] = "evil.example", pkioverheid.G3
	services[1].Notes[0].Text = ""
	assert.Equal(t, logius.DigiD(), logius.Services()[1])
	assert.Equal(t, "was-preprod1.digid.nl", logius.DigiD().Hosts[0].Name)
}

func TestServicesGoThroughJSON(t *testing.T) {
	text, err := json.Marshal(logius.Services())
	require.NoError(t, err)
	assert.Contains(t, string(text), `"hierarchies":["private-g1","ev"],"successors":["private-g4-tls"]`)
	assert.Contains(t, string(text), `{"name":"osb.kps.mijnoverheid.nl","environment":"production","network":"Diginetwerk","path":"/exchange/00000004003214345001"}`)
	var back []logius.Service
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, logius.Services(), back)
}

var ok = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "goedemorgen") })

// Every service is reached under each hierarchy that it needs, and under no other.
func TestAClientTrustsWhatItsServiceNeeds(t *testing.T) {
	const host = "soap.machtigen.digid.nl"
	kpn, digidentity := pkiotest.Leaf{TSP: "KPN"}, pkiotest.Leaf{TSP: "Digidentity"}
	quovadis := pkiotest.Leaf{TSP: "QuoVadis"}
	for name, c := range map[string]struct {
		service logius.Service
		server  pkioverheid.Hierarchy
		leaf    pkiotest.Leaf
		refusal string // empty: none
	}{
		"DigiD Machtigen under G1":                  {logius.DigiDMachtigen(), pkioverheid.PrivateG1, kpn, ""},
		"DigiD Machtigen under G1 of QuoVadis":      {logius.DigiDMachtigen(), pkioverheid.PrivateG1, quovadis, ""},
		"DigiD Machtigen under G4":                  {logius.DigiDMachtigen(), pkioverheid.PrivateG4TLS, digidentity, ""},
		"DigiD Machtigen under G3":                  {logius.DigiDMachtigen(), pkioverheid.G3, pkiotest.Leaf{}, "G3"},
		"DigiD Machtigen that sends its leaf only":  {logius.DigiDMachtigen(), pkioverheid.PrivateG4TLS, pkiotest.Leaf{LeafOnly: true}, ""},
		"Berichtenbox under G1 of KPN":              {logius.MijnOverheidBerichtenbox(), pkioverheid.PrivateG1, kpn, ""},
		"Berichtenbox under G1 of KPN, leaf only":   {logius.MijnOverheidBerichtenbox(), pkioverheid.PrivateG1, pkiotest.Leaf{TSP: "KPN", LeafOnly: true}, ""},
		"Berichtenbox under G4 of KPN":              {logius.MijnOverheidBerichtenbox(), pkioverheid.PrivateG4TLS, kpn, ""},
		"Berichtenbox under G1 of QuoVadis":         {logius.MijnOverheidBerichtenbox(), pkioverheid.PrivateG1, quovadis, "of KPN"},
		"Berichtenbox under G4 of Digidentity":      {logius.MijnOverheidBerichtenbox(), pkioverheid.PrivateG4TLS, digidentity, "of KPN"},
		"Berichtenbox of one who calls himself KPN": {logius.MijnOverheidBerichtenbox(), pkioverheid.PrivateG1, pkiotest.Leaf{TSP: "QuoVadis", Organization: "KPN B.V."}, "of KPN"},
		"Persoonlijke Gegevens under G1":            {logius.MijnOverheidPersoonlijkeGegevens(), pkioverheid.PrivateG1, pkiotest.Leaf{}, ""},
		"Lopende Zaken under G4":                    {logius.MijnOverheidLopendeZaken(), pkioverheid.PrivateG4TLS, pkiotest.Leaf{}, ""},
		"BSNk under G1":                             {logius.BSNk(), pkioverheid.PrivateG1, pkiotest.Leaf{}, ""},
		"BSNk under EV, which has ended":            {logius.BSNk(), pkioverheid.EV, pkiotest.Leaf{}, "the EV hierarchy has ended"},
	} {
		t.Run(name, func(t *testing.T) {
			c.leaf.DNSNames = []string{host}
			cert := pkiotest.New(c.server).Issue(c.leaf)
			base, _ := standIn(t, ok, cert)
			cfg := pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(fixtures(pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS, pkioverheid.EV))}, Base: base}
			client, err := at(c.service, host).NewClient(logius.Production, cfg)
			require.NoError(t, err)
			defer client.CloseIdleConnections()
			resp, err := client.Get("https://" + host + "/")
			if c.refusal == "" {
				require.NoError(t, err)
				resp.Body.Close()
				return
			}
			assert.ErrorContains(t, err, c.refusal)
			var theirs *pkioverheid.ServerCertificateError
			assert.ErrorAs(t, err, &theirs)
		})
	}
}

// The real roots: what a service does not need is not in its pool. It cannot be
// tried with a handshake, for nobody has the keys.
func TestAClientTrustsNoHierarchyBesides(t *testing.T) {
	for _, s := range logius.Services() {
		v, err := s.Verifier(pkioverheid.Trust{})
		require.NoError(t, err)
		for _, h := range append(pkioverheid.Hierarchies(), pkioverheid.G3) {
			tsp := h.Certificates()[2]
			_, err := v.Chains().Verify(tsp, chain.VerifyOptions{Time: tsp.NotAfter.AddDate(0, -1, 0), KeyUsages: anyUsage})
			needed := h == pkioverheid.PrivateG1 || h == pkioverheid.PrivateG4TLS || h == pkioverheid.EV && s.Name == "BSNk"
			if s.TSP != "" {
				needed = false // a TSP's CA is issued by no TSP
			}
			assert.Equal(t, needed, err == nil, "%s, %v: %v", s.Name, h, err)
		}
	}
}

// Before G4 a client may be configured without it.
func TestAClientWithoutSuccessorsTrustsG1Only(t *testing.T) {
	s := logius.DigiDMachtigen()
	s.Successors = nil
	v, err := s.Verifier(pkioverheid.Trust{})
	require.NoError(t, err)
	_, err = v.Chains().Verify(pkioverheid.PrivateG4TLS.Certificates()[2], chain.VerifyOptions{KeyUsages: anyUsage})
	assert.Error(t, err)
	s.Hierarchies = nil
	_, err = s.Verifier(pkioverheid.Trust{})
	assert.ErrorContains(t, err, "no roots to trust", "no hierarchy is none, not all of them")
	v, err = s.Verifier(pkioverheid.Trust{Roots: truststore.NewSource(fixtures(pkioverheid.PrivateG1))})
	require.NoError(t, err)
	_, err = v.Chains().Verify(pkioverheid.PrivateG1.Certificates()[2], chain.VerifyOptions{Time: withinG1(), KeyUsages: anyUsage})
	assert.Error(t, err)
}

func TestAClientConnectsToItsHostsOnly(t *testing.T) {
	cert := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{DNSNames: []string{"was.digid.nl", "was-preprod1.digid.nl", "digid.example"}})
	var hits int
	var target string
	base, dialled := standIn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, target, http.StatusTemporaryRedirect)
			return
		}
		io.WriteString(w, "goedemorgen")
	}), cert)
	client, err := logius.DigiD().NewClient(logius.Production, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(fixtures(pkioverheid.PrivateG1))}, Base: base})
	require.NoError(t, err)
	defer client.CloseIdleConnections()

	for _, url := range []string{"https://was.digid.nl/", "https://was.digid.nl:443/saml/idp/metadata", "https://WAS.DigiD.nl/"} {
		resp, err := client.Get(url)
		require.NoError(t, err, url)
		resp.Body.Close()
	}
	known := []string{"was.digid.nl:443", "WAS.DigiD.nl:443"}
	assert.Equal(t, known, *dialled)

	for url, want := range map[string]string{
		"https://was-preprod1.digid.nl/":      "not a host of",
		"https://digid.example/":              "not a host of",
		"https://was.digid.nl./":              "not a host of",
		"https://was.digid.nl:8443/":          "port",
		"https://was.digid.nl:80/":            "port",
		"https://127.0.0.1/":                  "not a host of",
		"https://localhost/":                  "not a host of",
		"https://[::1]/":                      "not a host of",
		"https://was.digid.nl@digid.example/": "not a host of",
		"http://was.digid.nl/":                "https only",
	} {
		before := hits
		for _, via := range []string{url, "https://was.digid.nl/redirect"} {
			target = url
			resp, err := client.Post(via, "text/xml", http.NoBody)
			if !assert.ErrorContains(t, err, want, via) {
				resp.Body.Close()
			}
		}
		assert.Equal(t, before+1, hits, url)
		assert.Equal(t, known, *dialled, "%s: nothing is dialled", url)
	}
	_, err = client.Transport.RoundTrip(&http.Request{})
	assert.ErrorContains(t, err, "no URL")
}

func TestClientsThatCannotBe(t *testing.T) {
	withHost := func(name string) logius.Service { return at(logius.BSNk(), name) }
	for name, c := range map[string]struct {
		service logius.Service
		env     logius.Environment
		cfg     pkioverheid.ClientConfig
		want    string
	}{
		"no host is known":                {logius.BSNk(), logius.Production, pkioverheid.ClientConfig{}, "no host is known"},
		"no host of that environment":     {logius.DigiD(), logius.Acceptance, pkioverheid.ClientConfig{}, `no host is known of the environment "acceptance"`},
		"no environment":                  {logius.DigiD(), "", pkioverheid.ClientConfig{}, "no environment"},
		"a hierarchy of the caller's":     {logius.DigiD(), logius.Production, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Hierarchies: []pkioverheid.Hierarchy{pkioverheid.EV}}}, "Trust.Hierarchies"},
		"a G3 root":                       {logius.DigiD(), logius.Production, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(fixtures(pkioverheid.G3))}}, "G3"},
		"G3 put among the hierarchies":    {logius.Service{Name: "x", Hierarchies: []pkioverheid.Hierarchy{pkioverheid.G3}, Hosts: logius.DigiD().Hosts}, logius.Production, pkioverheid.ClientConfig{}, "G3 was withdrawn"},
		"a host with a port":              {withHost("bsnk.example:443"), logius.Production, pkioverheid.ClientConfig{}, "not the name of a host"},
		"a URL for a host":                {withHost("https://bsnk.example/"), logius.Production, pkioverheid.ClientConfig{}, "not the name of a host"},
		"an IP address for a host":        {withHost("192.0.2.1"), logius.Production, pkioverheid.ClientConfig{}, "not the name of a host"},
		"an IPv6 address for a host":      {withHost("2001:db8::1"), logius.Production, pkioverheid.ClientConfig{}, "not the name of a host"},
		"a wildcard for a host":           {withHost("*.bsnk.example"), logius.Production, pkioverheid.ClientConfig{}, "not the name of a host"},
		"a host without a dot":            {withHost("localhost"), logius.Production, pkioverheid.ClientConfig{}, "not the name of a host"},
		"an empty host":                   {withHost(""), logius.Production, pkioverheid.ClientConfig{}, "not the name of a host"},
		"a host with an empty label":      {withHost("bsnk..example"), logius.Production, pkioverheid.ClientConfig{}, "not the name of a host"},
		"a host with a control character": {withHost("bsnk\x1b.example"), logius.Production, pkioverheid.ClientConfig{}, `bsnk\x1b.example`},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := c.service.NewClient(c.env, c.cfg)
			assert.Nil(t, client)
			assert.ErrorContains(t, err, c.want)
		})
	}
	// The server would be verified by that name.
	_, err := logius.DigiD().NewClient(logius.Production, pkioverheid.ClientConfig{Base: &http.Transport{TLSClientConfig: &tls.Config{ServerName: "digid.example"}}})
	assert.ErrorContains(t, err, "ServerName")
	_, err = logius.DigiD().Verifier(pkioverheid.Trust{Hierarchies: []pkioverheid.Hierarchy{pkioverheid.EV}})
	assert.ErrorContains(t, err, "Trust.Hierarchies")
	_, err = logius.DigiD().Verifier(pkioverheid.Trust{Roots: truststore.NewSource(fixtures(pkioverheid.G3))})
	assert.ErrorContains(t, err, "G3")
	_, err = logius.DigiD().NewKeyring(pkioverheid.Trust{Roots: truststore.NewSource(fixtures(pkioverheid.G3))})
	assert.ErrorContains(t, err, "G3")
}

// Lopende Zaken may be trusted by its leaf: that is asked for on top of the rest.
func TestAPinnedLeafIsPinnedOnTopOfTheHierarchy(t *testing.T) {
	const host = "osb.mijnoverheid.nl"
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	pinned, other := g1.Issue(pkiotest.Leaf{DNSNames: []string{host}}), g1.Issue(pkiotest.Leaf{DNSNames: []string{host}})
	withdrawn := pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{DNSNames: []string{host}})
	for name, c := range map[string]struct {
		shown, pin tls.Certificate
		want       string
	}{
		"the pinned one":                {pinned, pinned, ""},
		"another":                       {other, pinned, "pinned"},
		"a pinned one that is not good": {withdrawn, withdrawn, "G3"},
	} {
		t.Run(name, func(t *testing.T) {
			base, _ := standIn(t, ok, c.shown)
			client, err := logius.MijnOverheidLopendeZaken().NewClient(logius.Production, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(fixtures(pkioverheid.PrivateG1)), Policy: chain.PinLeaf(fingerprint(c.pin))}, Base: base})
			require.NoError(t, err)
			defer client.CloseIdleConnections()
			resp, err := client.Get("https://" + host)
			if c.want != "" {
				assert.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			resp.Body.Close()
		})
	}
}

// A refusal by the service is explained as everywhere.
func TestErrorsOfTheTransportComeThrough(t *testing.T) {
	base := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no network here")
	}}
	client, err := logius.DigiD().NewClient(logius.Preproduction, pkioverheid.ClientConfig{Base: base})
	require.NoError(t, err)
	_, err = client.Get("https://was-preprod1.digid.nl/")
	assert.ErrorContains(t, err, "no network here")
}
