package pkioverheid

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
)

// deadlineOf returns when a certificate of the hierarchy must have been replaced.
func deadlineOf(cert *x509.Certificate, h Hierarchy) time.Time {
	if by := h.Plan().ReplaceBy; !by.IsZero() && by.Before(cert.NotAfter) {
		return by
	}
	return cert.NotAfter
}

// warnBefore is how long before its deadline a certificate of ours is warned about.
const warnBefore = 90 * 24 * time.Hour

// ending reports a deadline within warnBefore. A certificate that has ended is another
// problem.
func ending(leaf *x509.Certificate, h Hierarchy, at time.Time) (Event, bool) {
	deadline := deadlineOf(leaf, h)
	if at.Before(deadline.Add(-warnBefore)) || at.After(leaf.NotAfter) {
		return Event{}, false
	}
	text := fmt.Sprintf("it must be replaced by %s, in %d days", phrase.Day(deadline), int(deadline.Sub(at).Hours()/24))
	if at.After(deadline) {
		text = "it should have been replaced by " + phrase.Day(deadline)
	}
	if next := h.Plan().Successor; next != "" {
		text += fmt.Sprintf(": order one under %s", next)
	}
	return Event{Problem: OwnEnding, Certificate: leaf, Hierarchy: h, Deadline: deadline, Text: text}, true
}

func dayOf(at time.Time) int64 { return at.Unix() / (24 * 60 * 60) }

func validAt(c *x509.Certificate, at time.Time) bool {
	return !at.Before(c.NotBefore) && !at.After(c.NotAfter)
}
