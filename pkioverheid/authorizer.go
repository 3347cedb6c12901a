package pkioverheid

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Authorizer decides whether a verified peer may connect: nil lets it in. It runs at every
// handshake, resumed ones too, before the client proves that it has the key, concurrently.
// A constructor asks it twice about an Identity that nobody has, to hear of lists that
// cannot work.
type Authorizer func(Identity) error

var errProbeRefused = errors.New("pkioverheid: this is nobody")

// unusable is an Authorizer that cannot work, whoever asks.
func unusable(why error) Authorizer {
	return func(id Identity) error {
		if id.isProbe() {
			id.probe.fault.CompareAndSwap(nil, &why)
		}
		return why
	}
}

// faultOf returns why an Authorizer cannot work. It asks with a probe that the authorizers
// of this package let in and with one that they refuse, so that each list in a composition
// answers, that of an alternative too. Afterwards the probe is nobody: an Authorizer may
// have kept it.
func faultOf(allow Authorizer) error {
	for _, refused := range []bool{false, true} {
		if fault := ask(allow, &probe{refused: refused}); fault != nil {
			return fault
		}
	}
	return nil
}

func ask(allow Authorizer, p *probe) error {
	p.asking.Store(true)
	defer p.asking.Store(false)
	_ = allow(Identity{chain: chain.Chain{PrivateG4TLS.Root()}, probe: p}) // an answer about nobody
	if fault := p.fault.Load(); fault != nil {
		return *fault
	}
	return nil
}

// An AccessError is an [Authorizer]'s refusal with a reason that the caller may read:
// [Server.Handler] sends its Problem, where of any other error the caller learns no more
// than that it was refused. The refusals of this package's own Authorizers are such.
type AccessError struct {
	// Problem is what the caller reads, in a sentence, with nothing secret in it.
	Problem string

	// Advice is what to do about it, for who runs the server.
	Advice string

	// Reason is why a server refused, and Cause the reason of a certificate that it
	// refused: both are for ServerConfig.OnRefusal, and empty in what an Authorizer says.
	Reason FailureReason
	Cause  chain.Reason

	// Err holds what is underneath.
	Err []error
}

// Error returns the problem and the advice on one line.
func (e *AccessError) Error() string { return wording(e.Problem, e.Advice) }

// Unwrap returns what is underneath.
func (e *AccessError) Unwrap() []error { return e.Err }

// AllowOIN lets in systems whose certificate bears one of the OINs. An empty list lets in
// nobody. An organisation may have two valid OINs: name both. Like [AllowAnySystem] it asks
// for the policy of a system's certificate. An OIN that is not valid is an error of NewServer.
func AllowOIN(oins ...OIN) Authorizer {
	for _, oin := range oins {
		if fault := oin.fault(); fault != "" {
			return unusable(fmt.Errorf("pkioverheid: AllowOIN: %s is not an OIN: %s", safetext.Quote(string(oin)), fault))
		}
	}
	oins = slices.Clone(oins)
	return func(id Identity) error {
		if err := checkSystem(id); err != nil || id.isProbe() {
			return err
		}
		if id.oin == "" {
			return errNoOIN()
		}
		if !slices.Contains(oins, id.oin) {
			return errNotListed(id.oin)
		}
		return nil
	}
}

func errNoOIN() error { return &AccessError{Problem: "The certificate bears no OIN."} }

func errNotListed(oin OIN) error {
	return &AccessError{Problem: "OIN " + string(oin) + " is not on the list."}
}

// AllowTSP lets in systems whose certificate one of the TSPs issued, for [AllOf]: whoever
// trusts a root lets in the customers of every TSP below it. An empty list lets in nobody,
// and a TSP without a name is an error.
func AllowTSP(tsps ...TSP) Authorizer {
	if slices.Contains(tsps, "") {
		return unusable(errors.New("pkioverheid: AllowTSP: a TSP is empty"))
	}
	tsps = slices.Clone(tsps)
	return func(id Identity) error {
		switch err := checkSystem(id); {
		case err != nil || id.isProbe():
			return err
		case id.tsp == "":
			return &AccessError{Problem: "It is not known which TSP issued the certificate."}
		case !slices.Contains(tsps, id.tsp):
			return &AccessError{Problem: "The certificate was issued by " + string(id.tsp) + ", which is not on the list."}
		}
		return nil
	}
}

// AllOf lets in whom all of the authorizers let in, and asks them in turn. Without any,
// or with a nil among them, it lets in nobody, and a server is not made.
func AllOf(all ...Authorizer) Authorizer {
	if len(all) == 0 || slices.ContainsFunc(all, func(a Authorizer) bool { return a == nil }) {
		return unusable(errors.New("pkioverheid: AllOf needs authorizers, and none of them nil"))
	}
	all = slices.Clone(all)
	return func(id Identity) error {
		for _, allow := range all {
			if err := allow(id); err != nil && !id.isProbe() {
				return err // what refuses a probe hides no fault of the next
			}
		}
		if id.isProbe() {
			return checkSystem(id)
		}
		return nil
	}
}

// AllowAnySystem lets in every system of PKIoverheid: every certificate with the policy
// of one, below a CA that is known here, ServerConfig.ClientRoots or Trust.TrialRoots.
// It refuses persons, and certificates below Trust.Roots whose hierarchy is not known.
func AllowAnySystem() Authorizer { return checkSystem }

func checkSystem(id Identity) error {
	switch {
	case id.isProbe() && id.probe.refused:
		return errProbeRefused
	case id.kind == System || id.isProbe():
		return nil
	case id.added:
		// Its policies are not looked at: whoever has a root can write any into certificates.
		return &AccessError{
			Problem: "The certificate is under a root whose hierarchy is not known.",
			Advice:  "The root is in Trust.Roots. Name it in ServerConfig.ClientRoots if its certificates are those of systems, in a test in Trust.TrialRoots.",
		}
	}
	return &AccessError{Problem: "This is not the certificate of a system: it has none of the policies that PKIoverheid gives to systems."}
}
