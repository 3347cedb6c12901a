package crl_test

import (
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
)

func TestListTellsWhatIsRevokedAndWhen(t *testing.T) {
	day := now.AddDate(0, -1, 0)
	l, err := crl.Parse(ca().list(revoking(
		revoked(1000, day, crl.KeyCompromise),
		revoked(2, day.Add(time.Hour), crl.Unspecified),
		revoked(-5, day, crl.Superseded),
		revoked(3, day, crl.RemoveFromCRL),
	)))
	require.NoError(t, err)
	require.NoError(t, l.CheckSignatureFrom(ca().Certificate))
	assert.Equal(t, 4, l.Len())
	assert.Equal(t, big.NewInt(7), l.Number())
	assert.Equal(t, ca().Subject.String(), l.Issuer().String())
	assert.Equal(t, ca().RawSubject, l.RawIssuer())
	assert.Equal(t, ca().SubjectKeyId, l.AuthorityKeyID())
	assert.Equal(t, now.Add(-time.Hour), l.ThisUpdate())
	assert.Equal(t, now.Add(24*time.Hour), l.NextUpdate())
	assert.Equal(t, x509.ECDSAWithSHA256, l.SignatureAlgorithm())

	e, ok := l.Lookup(big.NewInt(1000))
	assert.True(t, ok)
	assert.Equal(t, crl.Entry{RevokedAt: day, Reason: crl.KeyCompromise}, e)
	e, ok = l.Lookup(big.NewInt(-5))
	assert.True(t, ok)
	assert.Equal(t, crl.Entry{RevokedAt: day, Reason: crl.Superseded}, e)
	_, ok = l.Lookup(big.NewInt(4))
	assert.False(t, ok)

	cert := ca().issue(2)
	require.NoError(t, l.Covers(cert))
	at := day.Add(time.Hour)
	assert.NoError(t, l.Check(cert, at.Add(-time.Second)), "it was revoked later")
	var refused *crl.RevokedError
	for _, at := range []time.Time{at, now, {}} {
		require.ErrorAs(t, l.Check(cert, at), &refused)
		assert.Equal(t, cert.SerialNumber, refused.Serial)
		assert.Equal(t, crl.Entry{RevokedAt: day.Add(time.Hour)}, refused.Entry)
		assert.False(t, refused.At.IsZero())
	}
	assert.NoError(t, l.Check(ca().issue(3), now), "it was taken off")
	assert.NoError(t, l.Check(ca().issue(4), now))
	assert.Error(t, l.Check(nil, now))
}
