package pkioverheid

import (
	"crypto/x509"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/chain"
)

// The words are crypto/x509's of this version of Go.
func TestCausesInTheWordsOfX509(t *testing.T) {
	leaf := PrivateG1.Root()
	invalid := func(r x509.InvalidReason, detail string) error {
		return x509.CertificateInvalidError{Cert: leaf, Reason: r, Detail: detail}
	}
	for _, c := range []struct {
		err  error
		want chain.Reason
	}{
		{x509.UnknownAuthorityError{Cert: leaf}, chain.UnknownAuthority},
		{invalid(x509.Expired, "current time 2026-11-28T00:00:00Z is after 2026-11-27T00:00:00Z"), chain.Expired},
		{invalid(x509.Expired, "current time 2026-11-28T00:00:00Z is before 2026-11-29T00:00:00Z"), chain.NotYetValid},
		{invalid(x509.IncompatibleUsage, ""), chain.WrongUsage},
		{invalid(x509.NotAuthorizedToSign, ""), chain.NotACA},
		{invalid(x509.TooManyIntermediates, ""), chain.PathTooLong},
		{errors.New("something else"), ""},
	} {
		assert.Equal(t, c.want, causeOfWords(c.err.Error()), c.err.Error())
	}
}
