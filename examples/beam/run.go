package main

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// run is the JSON of pkio audit, version 1: see audit.schema.json in examples/pkio.
type run struct {
	Version      int               `json:"version"`
	Run          runHead           `json:"run"`
	Summary      map[string]int    `json:"summary"`
	Certificates []*certificate    `json:"certificates"`
	NotRead      []json.RawMessage `json:"notRead"`
}

type runHead struct {
	Machine  string    `json:"machine"`
	Tool     string    `json:"tool"`
	KnownCAs string    `json:"knownCAs"`
	Start    time.Time `json:"start"`
	Seconds  float64   `json:"seconds"`
	At       time.Time `json:"at"`
	Targets  []string  `json:"targets"`
	Partial  bool      `json:"partial"`
}

type certificate struct {
	SHA256             string    `json:"sha256"`
	Do                 string    `json:"do"`
	Deadline           string    `json:"deadline,omitempty"`
	Overdue            bool      `json:"overdue,omitempty"`
	Name               string    `json:"name"`
	Subject            string    `json:"subject"`
	Issuer             string    `json:"issuer"`
	Serial             string    `json:"serial,omitempty"`
	NotBefore          time.Time `json:"notBefore"`
	NotAfter           time.Time `json:"notAfter"`
	CA                 bool      `json:"ca,omitempty"`
	DNSNames           []string  `json:"dnsNames,omitempty"`
	KeyType            string    `json:"keyType,omitempty"`
	KeyBits            int       `json:"keyBits,omitempty"`
	SignatureAlgorithm string    `json:"signatureAlgorithm,omitempty"`
	Hierarchy          string    `json:"hierarchy,omitempty"`
	Role               string    `json:"role,omitempty"`
	TSP                string    `json:"tsp,omitempty"`
	OIN                string    `json:"oin,omitempty"`
	Status             string    `json:"status"`
	State              string    `json:"state"`
	Replacement        string    `json:"replacement,omitempty"`
	Supplier           string    `json:"supplier,omitempty"`
	Advice             string    `json:"advice"`
	Places             []place   `json:"places"`
}

type place struct {
	Target string `json:"target"`
	Path   string `json:"path"`
	Place  string `json:"place,omitempty"`
	Format string `json:"format,omitempty"`
	Use    string `json:"use,omitempty"`
	Party  string `json:"party,omitempty"`
	State  string `json:"state,omitempty"`

	Problems []string `json:"problems,omitempty"`
}

func (p place) compare(q place) int {
	return cmp.Or(strings.Compare(p.Path, q.Path), strings.Compare(p.Place, q.Place))
}

type notRead struct {
	Target  string `json:"target"`
	Path    string `json:"path"`
	Error   string `json:"error"`
	Skipped bool   `json:"skipped,omitempty"`
}

func notReadOf(r inventory.Result) notRead {
	text := strings.TrimPrefix(strings.TrimPrefix(r.Err.Error(), "inventory: "), r.Path+": ")
	return notRead{Target: printable(r.Target), Path: printable(r.Path), Error: printable(text), Skipped: errors.Is(r.Err, inventory.ErrSkipped)}
}

// certificateOf is a certificate as it was found, with its place.
func certificateOf(r inventory.Result, at time.Time) *certificate {
	x, a := r.Certificate, r.Advice()
	c := &certificate{
		SHA256: truststore.FingerprintOf(r.Certificate).String(), Name: strings.Trim(safetext.Certificate(x), `"`),
		Subject: safetext.Name(x.Subject, 1024), Issuer: safetext.Name(x.Issuer, 1024),
		NotBefore: x.NotBefore.UTC(), NotAfter: x.NotAfter.UTC(), CA: x.IsCA,
		SignatureAlgorithm: x.SignatureAlgorithm.String(),
		Status:             string(a.Status), State: r.State(), Supplier: string(a.Supplier), Advice: printable(a.Text),
	}
	if x.SerialNumber != nil && x.SerialNumber.BitLen() <= 512 {
		c.Serial = x.SerialNumber.Text(16)
	}
	for _, name := range x.DNSNames[:min(len(x.DNSNames), 100)] {
		c.DNSNames = append(c.DNSNames, printable(name))
	}
	switch key := x.PublicKey.(type) {
	case *rsa.PublicKey:
		c.KeyType, c.KeyBits = "RSA", key.N.BitLen()
	case *ecdsa.PublicKey:
		c.KeyType, c.KeyBits = "ECDSA", key.Curve.Params().BitSize
	case ed25519.PublicKey:
		c.KeyType, c.KeyBits = "Ed25519", 256
	}
	c.Do = "ok"
	switch {
	case a.Urgency != advice.NotUrgent:
		c.Do = string(a.Urgency)
	case a.Status == advice.Unrecognised:
		c.Do = "other"
	case c.State != "trusted":
		c.Do = "fix"
	}
	if !a.Deadline.IsZero() {
		c.Deadline = a.Deadline.UTC().Format(time.DateOnly)
		c.Overdue = c.Do == "now" && at.After(a.Deadline)
	}
	if a.Replacement != 0 {
		c.Replacement = text(a.Replacement.MarshalText())
	}
	if claim, ok := r.Claim(); ok {
		c.Hierarchy, c.Role, c.TSP, c.OIN = text(claim.Hierarchy.MarshalText()), string(claim.Role), string(claim.TSP), string(claim.OIN)
	} else if a.Status == advice.Withdrawn {
		c.Hierarchy = "g3"
	}
	p := place{Target: printable(r.Target), Path: printable(r.Path), Place: printable(r.Place), Format: string(r.Format), Use: string(r.Use), Party: printable(r.Party)}
	if r.Use == inventory.KeyMismatch {
		p.Problems = []string{"The private key beside it is that of another certificate."}
		if c.Do == "ok" || c.Do == "other" {
			c.Do = "fix"
		}
	}
	c.Places = []place{p}
	return c
}

// add adds the places of the same certificate, and what is graver there.
func (c *certificate) add(other *certificate) {
	const order = "now fix soon later ok other"
	if strings.Index(order, other.Do) < strings.Index(order, c.Do) {
		c.Do = other.Do
	}
	for _, p := range other.Places {
		if other.State != c.State {
			p.State = other.State
		}
		c.Places = append(c.Places, p)
	}
}

// count fills in the summary.
func (r *run) count() {
	r.Summary = map[string]int{"notListed": 0}
	for _, name := range []string{"now", "soon", "later", "fix", "ok", "other", "casToTakeOut", "casToTrust", "accepted", "places", "notRead", "skipped"} {
		r.Summary[name] = 0
	}
	for _, c := range r.Certificates {
		r.Summary["places"] += len(c.Places)
		switch {
		case c.CA && c.Do == "now":
			r.Summary["casToTakeOut"]++
		case c.CA && (c.Do == "soon" || c.Do == "later"):
			r.Summary["casToTrust"]++
		default:
			r.Summary[c.Do]++
		}
	}
	for _, data := range r.NotRead {
		var n notRead
		if json.Unmarshal(data, &n) == nil && n.Skipped {
			r.Summary["skipped"]++
		} else {
			r.Summary["notRead"]++
		}
	}
}

func text(data []byte, err error) string {
	if err != nil {
		return ""
	}
	return string(data)
}

// printable bounds a text of others, and takes out what a terminal would obey.
func printable(s string) string { return safetext.Printable(s, 4096) }
