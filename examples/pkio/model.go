package main

import (
	"iter"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
)

// The JSON of an audit is that of a package of its own, which other programs write too.
type (
	auditRun        = model.Run
	summary         = model.Summary
	certificate     = model.Certificate
	order           = model.Order
	place           = model.Place
	notRead         = model.NotRead
	acceptance      = model.Acceptance
	staleAcceptance = model.StaleAcceptance
	fleetRun        = model.MachineRun
	class           = model.Class
)

const (
	formatVersion = model.Version
	maxName       = model.MaxName
	maxPath       = model.MaxPath
	maxText       = model.MaxText

	classNow   = model.ClassNow
	classFix   = model.ClassFix
	classSoon  = model.ClassSoon
	classLater = model.ClassLater
	classOK    = model.ClassOK
	classOther = model.ClassOther
)

// audit is what an audit found, and how it is written.
type audit struct {
	model.Audit

	// unfold sets the places of a certificate of many machines, which are kept in short.
	unfold func(*certificate)

	shown presentation

	lost int // places of certificates of PKIoverheid that are not listed
}

// finished is the audit of a collector.
func finished(c *model.Collector, seconds float64, partial bool, accepted *acceptances) *audit {
	found, lost := c.Finish(seconds, partial, accepted.apply)
	return &audit{Audit: *found, lost: lost}
}

// unfolded are the certificates, each with its places while it is looked at.
func (a *audit) unfolded() iter.Seq[*certificate] {
	return func(yield func(*certificate) bool) {
		for _, c := range a.Certificates {
			if a.unfold != nil {
				a.unfold(c)
			}
			more := yield(c)
			if a.unfold != nil {
				c.Places = nil
			}
			if !more {
				return
			}
		}
	}
}

// unfoldAll sets the places of all certificates, for what needs them at the same time.
func (a *audit) unfoldAll() {
	if a.unfold == nil {
		return
	}
	for _, c := range a.Certificates {
		a.unfold(c)
	}
	a.unfold = nil
}

// whereIs names the file or the server, and the place in it.
func whereIs(p *place) string {
	where := systemOf(p)
	if p.Machine != "" {
		where = p.Machine + ": " + where
	}
	if p.Place != "" {
		where += ", " + p.Place
	}
	return where
}

// systemOf is the file or the server.
func systemOf(p *place) string {
	if p.Path == "" {
		return p.Target
	}
	return p.Path
}

// placeNotRead names what was not looked at.
func placeNotRead(n *notRead) string {
	return whereIs(&place{Machine: n.Machine, Target: n.Target, Path: n.Path})
}

// systemName is the machine in a report of many, and else the file or the server.
func systemName(p *place) string {
	if p.Machine != "" {
		return p.Machine
	}
	return systemOf(p)
}
