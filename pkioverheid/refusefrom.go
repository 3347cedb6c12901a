package pkioverheid

import (
	"fmt"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// refuseFrom refuses chains of a hierarchy, as recognised by the keys of its CAs, from a
// time on.
func refuseFrom(dates map[Hierarchy]time.Time) chain.Policy {
	if len(dates) == 0 {
		return nil
	}
	return func(c chain.Chain, at time.Time) error {
		for _, cert := range c {
			a := recognised().keyOf(cert)
			if a == nil {
				continue
			}
			if from, set := dates[a.hierarchy]; set && !at.Before(from) {
				return fmt.Errorf("pkioverheid: %s is under %s, which is refused here from %s on: ask for a certificate under its successor", safetext.Certificate(c.Leaf()), a.hierarchy, phrase.Day(from))
			}
		}
		return nil
	}
}

// checkRefuseFrom refuses what is not a hierarchy, which would refuse nobody.
func checkRefuseFrom(dates map[Hierarchy]time.Time) error {
	for h, from := range dates {
		switch {
		case !h.known():
			return fmt.Errorf("pkioverheid: Trust.RefuseFrom: no such hierarchy: %s", safetext.Quote(string(h)))
		case from.IsZero():
			return fmt.Errorf("pkioverheid: Trust.RefuseFrom: %v has no date: leave it out of Trust.Hierarchies to refuse it at any time", h)
		}
	}
	return nil
}
