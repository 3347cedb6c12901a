package pkioverheid

import (
	"errors"
	"strings"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// wording makes the text of the errors of this package: what is wrong and what to do
// about it, each in sentences, and then details, on one line without a full stop.
func wording(problem, advice string, details ...string) string {
	var b strings.Builder
	b.WriteString("pkioverheid: ")
	b.WriteString(phrase.Small(problem))
	for _, more := range append([]string{advice}, details...) {
		if more != "" {
			b.WriteString(" ")
			b.WriteString(more)
		}
	}
	return strings.TrimSuffix(b.String(), ".")
}

// rejection is why a rule of this package refuses a chain. Package chain takes both
// halves over into its own errors.
type rejection struct{ problem, advice string }

func (r *rejection) Error() string { return wording(r.problem, r.advice) }

func (r *rejection) ProblemAdvice() (problem, advice string) { return r.problem, r.advice }

// wordsOf returns the two halves of an error: its own, or else its text.
func wordsOf(err error) (problem, advice string) {
	var ours interface {
		ProblemAdvice() (problem, advice string)
	}
	var failed *chain.Error
	switch {
	case errors.As(err, &ours):
		return ours.ProblemAdvice()
	case errors.As(err, &failed) && failed.Problem != "":
		return failed.Problem, failed.Advice
	}
	return safetext.Printable(err.Error(), safetext.MostError) + ".", ""
}
