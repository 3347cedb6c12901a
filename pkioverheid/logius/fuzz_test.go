package logius_test

import (
	"bytes"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// sane checks what holds for the error of every input.
func sane(t *testing.T, err error) {
	if s := err.Error(); len(s) > 1500 || strings.ContainsAny(s, "\n\r\x00\x1b") {
		t.Errorf("%q", s)
	}
}

func checkParsed(t *testing.T, cert *x509.Certificate) {
	if cert == nil || len(cert.Raw) == 0 {
		t.Error("a certificate that was not parsed")
	}
}

// Metadata is read whole or not at all, and its certificates are the Keyring's to
// judge: none of a document that was made up is accepted.
func FuzzReadMetadata(f *testing.F) {
	a, b := issue(f, pkioverheid.PrivateG1, pkiotest.Leaf{}), tinyCertificate(f)
	f.Add([]byte(network(entity("urn:nl:one", keyDescriptor("signing", a), keyDescriptor("encryption", b)), entity("urn:nl:two", keyDescriptor("", b)))))
	f.Add([]byte(strings.Replace(network(entity("urn:nl:one", keyDescriptor("signing", b))), "<md:Entity", "<md:EntitiesDescriptor validUntil='2026-01-01T00:00:00Z'/><md:Entity", 1)))
	f.Add([]byte(cpa()))
	k, err := logius.BSNk().NewKeyring(pkioverheid.Trust{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := logius.ReadMetadata(bytes.NewReader(data))
		if err != nil {
			sane(t, err)
			if m != nil {
				t.Error("half a result")
			}
			return
		}
		certs := 0
		for _, e := range m.Entities {
			if e.ID == "" {
				t.Error("an entity without an ID")
			}
			e.Hosts()
			for _, key := range e.Keys {
				certs += len(key.Certificates) + len(key.Unread)
				for _, c := range key.Certificates {
					checkParsed(t, c)
				}
			}
		}
		if certs == 0 {
			t.Error("no certificate and no error")
		}
		changes := k.Update(m)
		if len(changes.Refused) != certs {
			t.Errorf("%d of %d are refused", len(changes.Refused), certs)
		}
		for _, r := range changes.Refused {
			if s := r.Err.Error(); len(s) > 5000 || strings.ContainsAny(s, "\r\x00\x1b") {
				t.Errorf("%q", s)
			}
		}
	})
}

func FuzzReadCPA(f *testing.F) {
	a, b := issue(f, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: ownOIN}), tinyCertificate(f)
	f.Add([]byte(cpa(party("A", ownOIN, a), party("B", theirOIN, b))))
	f.Add([]byte(cpa(party("A", ownOIN, b))))
	f.Add([]byte(network()))
	v, err := logius.MijnOverheidLopendeZaken().Verifier(pkioverheid.Trust{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := logius.ReadCPA(bytes.NewReader(data))
		if err != nil {
			sane(t, err)
			if c != nil {
				t.Error("half a result")
			}
			return
		}
		for _, p := range c.Parties {
			for _, cert := range p.Certificates {
				checkParsed(t, cert.Certificate)
				if cert.ID == "" {
					t.Error("a certificate without an id")
				}
			}
		}
		err = c.Check(v, withinG1())
		if err == nil {
			t.Fatal("nobody has certificates of the real hierarchies to put into this")
		}
		for _, line := range strings.Split(err.Error(), "\n") {
			if len(line) > 3000 || strings.ContainsAny(line, "\r\x00\x1b") {
				t.Errorf("%q", line)
			}
		}
	})
}
