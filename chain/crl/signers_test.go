package crl_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/truststore"
)

const serialRenewed = 77

// A CA has a new key, and signs the lists about what it issued with the old one with it.
func TestACAThatChangesItsKeySignsItsListsWithTheNewOne(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	name := pkix.Name{Country: []string{"NL"}, Organization: []string{"Test"}, CommonName: "Issuing CA"}
	renewed := l.domain.sign(name, ecdsaKeyOf("renewed"), serialRenewed, []string{s.URL + "/domain.crl"})
	byOldKey := l.issuing.withKey(ecdsaKeyOf("renewed"), serialRenewed, s.URL+"/issuing.crl")
	stranger := newAuthority("Other Root", ecdsaKeyOf("Other Root")).sign(name, ecdsaKeyOf("renewed"), serialRenewed, nil)
	alone := newAuthority("Issuing CA", ecdsaKeyOf("renewed"))
	leafOnList := revoking(revoked(serialLeaf, hourAgo, crl.KeyCompromise))
	newer := between(now.Add(-time.Minute), now.Add(24*time.Hour))

	for _, test := range []struct {
		name     string
		own      authority // a signer of the operator's
		old, new []byte    // what the two keys sign; old is where the leaf says, if there is one
		domain   []byte
		reason   chain.Reason
		text     string
	}{
		{"a list of the new key alone", renewed, nil, renewed.list(), nil, "", ""},
		{"somebody is on it", renewed, nil, renewed.list(leafOnList), nil, chain.Revoked, "was revoked"},
		{"nobody named the new key", authority{}, nil, renewed.list(), nil, chain.RevocationUnknown, "by another key"},
		{"a key that the old one signed", byOldKey, nil, byOldKey.list(), nil, "", ""},
		{"lists of both overlap", renewed, l.issuing.list(), renewed.list(newer), nil, "", ""},
		{"the newer one has the leaf", renewed, l.issuing.list(), renewed.list(newer, leafOnList), nil, chain.Revoked, "was revoked"},
		{"the older one has the leaf", renewed, l.issuing.list(leafOnList), renewed.list(newer), nil, chain.Revoked, "was revoked"},
		{"the new key is revoked", renewed, nil, renewed.list(), l.domain.list(revoking(revoked(serialRenewed, hourAgo, crl.KeyCompromise))), chain.RevocationUnknown, "by another key"},
		{"the old list counts when the new key is revoked", renewed, l.issuing.list(), renewed.list(newer, leafOnList), l.domain.list(revoking(revoked(serialRenewed, hourAgo, crl.KeyCompromise))), "", ""},
		{"a namesake under another root", stranger, nil, stranger.list(), nil, chain.RevocationUnknown, "by another key"},
		{"a namesake under no root", alone, nil, alone.list(), nil, chain.RevocationUnknown, "by another key"},
	} {
		domain := test.domain
		if domain == nil {
			domain = l.domain.list()
		}
		check := func(t *testing.T, err error) {
			if test.reason == "" {
				assert.NoError(t, err)
			} else {
				refusedAs(t, test.reason, test.text, err)
			}
		}
		t.Run(test.name+", in a folder", func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir+"/root.crl", l.root.list())
			put(t, dir+"/domain.crl", domain)
			if test.old != nil {
				put(t, dir+"/old.crl", test.old)
			}
			data := asPEM(test.new)
			if test.own.Certificate != nil {
				data = append(data, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: test.own.Raw})...)
			}
			put(t, dir+"/new.crl", data)
			check(t, newChecker(t, nil, inFolder(dir)).Policy(l.chain(), now))
		})
		if test.old != nil {
			continue // an address has one list
		}
		t.Run(test.name+", from a server", func(t *testing.T) {
			s.publish(l)
			s.serve("/domain.crl", domain)
			s.serve("/issuing.crl", test.new)
			c := newChecker(t, s, func(cfg *crl.Config) {
				if test.own.Certificate != nil {
					cfg.Signers = []*x509.Certificate{test.own.Certificate}
				}
			})
			check(t, c.Policy(l.chain(), now))
			check(t, c.Policy(l.chain(), now))
		})
	}

	t.Run("a certificate that a peer sent is not asked", func(t *testing.T) {
		s.publish(l)
		s.serve("/issuing.crl", renewed.list())
		v, err := chain.NewVerifier(truststore.New(l.root.Certificate), truststore.New(l.domain.Certificate, l.issuing.Certificate), chain.WithPolicy(newChecker(t, s).Policy))
		require.NoError(t, err)
		_, err = v.Verify(l.leaf, chain.VerifyOptions{Time: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, Extra: []*x509.Certificate{renewed.Certificate}})
		refusedAs(t, chain.RevocationUnknown, "by another key", err)
	})
	t.Run("a Checker is not made with nil among its signers", func(t *testing.T) {
		_, err := crl.NewChecker(crl.Config{Folder: t.TempDir(), Signers: []*x509.Certificate{nil}})
		assert.ErrorContains(t, err, "Signers")
	})
}
