package main

import (
	"bytes"
	"strings"

	"github.com/go-pkioverheid/trust/chain"
	model "github.com/go-pkioverheid/trust/examples/internal/audit"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// picture is the chain of a certificate.
type picture struct {
	ID, Name, Verdict string
	Class             class
	Open              bool
	of                *certificate
	Boxes             []box
	Facts             []fact
}

type box struct {
	Kind              string // "", "wrong" or "unknown"
	Role, Name, Until string
	Checks            []boxCheck
}

type boxCheck struct {
	Bad  bool
	Text string
}

type fact struct {
	Name, Text string
	Code       bool
}

// draw explains the chain of a certificate.
func draw(l language, id string, cert *certificate) picture {
	p := picture{ID: id, Class: cert.Do, Name: cert.Name}
	e := cert.Found().Explain()
	if e == nil {
		return p
	}
	p.Verdict = l.state(cert.State)
	for i := len(e.Path) - 1; i >= 0; i-- {
		c := &e.Path[i]
		if i == len(e.Path)-1 && c.Source != chain.SourceRoot && !bytes.Equal(c.Certificate.RawIssuer, c.Certificate.RawSubject) {
			p.Boxes = append(p.Boxes, box{Kind: "unknown", Role: l.say("Issuer, not available"), Name: safetext.Printable(c.Issuer, 200)})
		}
		p.Boxes = append(p.Boxes, drawBox(l, c, e.OK))
	}
	add := func(name, text string, code bool) {
		if text != "" {
			p.Facts = append(p.Facts, fact{l.say(name), safetext.Printable(text, maxText), code})
		}
	}
	if e.Reason != chain.RefusedByPolicy { // else the advice says it, and does so without the words of programs
		problem := e.Problem
		if l != english && problem != "" { // the library has it in English only
			problem = p.Verdict
		}
		add("Problem", problem, false)
		if l == english && cert.Status != model.Imitation && !neverTrusted(cert.Found().Advice()) {
			add("To make it work", e.Advice, false)
		}
	}
	add("Advice", l.advice(cert), false)
	add("OIN", cert.OIN, false)
	add("Issued by", safetext.Shorten(cert.Issuer, safetext.MostDN), false)
	add("SHA-256", cert.SHA256, true)
	return p
}

func drawBox(l language, c *chain.ExplainedCertificate, trusted bool) box {
	b := box{Name: model.NameOf(c.Certificate), Until: l.date(date(c.NotAfter)), Role: l.say("Certificate")}
	identity, known := pkioverheid.ClaimOf(c.Certificate)
	imitation := !trusted && c.Source != chain.SourceRoot && model.Imitated(c.Certificate) != ""
	switch {
	case imitation:
		role := l.say(model.Imitation)
		b.Role, b.Kind = strings.ToUpper(role[:1])+role[1:], "wrong"
	case known:
		role := l.say(string(identity.Role))
		b.Role = strings.ToUpper(role[:1]) + role[1:] + ", " + identity.Hierarchy.String()
	case c.Source == chain.SourceRoot:
		b.Role = l.say("Root")
	case c.CA:
		b.Role = "CA"
	}
	good := 0
	for _, check := range c.Observations {
		if check.Result == chain.Fail {
			b.Kind = "wrong"
			b.Checks = append(b.Checks, boxCheck{true, l.failure(check)})
		} else if check.Result == chain.Pass {
			good++
		}
	}
	switch {
	case known && identity.Hierarchy == pkioverheid.G3 && !imitation:
		b.Kind, b.Checks = "wrong", []boxCheck{{true, l.say("G3: not trusted here")}}
	case len(b.Checks) > 0 || good == 0:
	case c.Source == chain.SourceRoot:
		b.Checks = []boxCheck{{false, l.say("trusted root")}}
	default:
		b.Checks = []boxCheck{{false, l.say("in order")}}
	}
	return b
}

// failures are what observations of a certificate fail on, for languages that the library
// does not have.
var failures = map[chain.ObservationName]string{
	chain.ObservedValidity:         "it is not valid at this time",
	chain.ObservedSignature:        "the signature is wrong, or its issuer is not known",
	chain.ObservedTrust:            "its issuer is not trusted here",
	chain.ObservedCA:               "it is not a CA",
	chain.ObservedPathLength:       "there are too many CAs below it",
	chain.ObservedKeyUsage:         "its key may not sign certificates",
	chain.ObservedExtendedKeyUsage: "it is not for this use",
	chain.ObservedExtensions:       "it has an extension that is not known",
	chain.ObservedLimits:           "it is more than is looked at",
	chain.ObservedHost:             "it is for another name",
	chain.ObservedNames:            "a name in it is not permitted",
	chain.ObservedPolicy:           "a rule refuses it",
	chain.ObservedRevocation:       "it is revoked, or that is not known",
}

// failure is why an observation failed.
func (l language) failure(o chain.Observation) string {
	if text := failures[o.Name]; l != english && text != "" {
		return l.say(text)
	}
	return safetext.Printable(o.Text, maxCheck)
}
