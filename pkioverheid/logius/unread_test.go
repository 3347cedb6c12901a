package logius_test

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// onBrainpool is a certificate whose key crypto/x509 does not parse: one on P-256 with
// the OID of brainpoolP256r1, which is longer, in place of the curve's.
func onBrainpool(t *testing.T) []byte {
	t.Helper()
	cert := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{ECDSA: true})
	p256 := []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}
	require.Equal(t, 1, bytes.Count(cert.Raw, p256))
	der := bytes.Replace(cert.Raw, p256, []byte{0x06, 0x08, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x07}, 1)
	_, err := x509.ParseCertificate(der)
	require.ErrorContains(t, err, "unsupported elliptic curve")
	return der
}

func TestReadMetadataGoesOnAfterACertificateThatIsNotParsed(t *testing.T) {
	good, other := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{}), issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})
	text := network(entity("urn:nl:one", keyDescriptor("signing", good, other)), entity("urn:nl:two", keyDescriptor("signing", good)))
	odd := strings.Replace(text, lines(other), base64.StdEncoding.EncodeToString(onBrainpool(t)), 1)

	m, err := logius.ReadMetadata(strings.NewReader(odd))
	require.NoError(t, err)
	require.Len(t, m.Entities, 2)
	require.Len(t, m.Entities[0].Keys, 1)
	key := m.Entities[0].Keys[0]
	assert.Equal(t, []*x509.Certificate{good}, key.Certificates)
	require.Len(t, key.Unread, 1)
	assert.ErrorContains(t, key.Unread[0], "line ")
	assert.ErrorContains(t, key.Unread[0], "certificate 2: x509: unsupported elliptic curve")
	assert.Len(t, m.Entities[1].Keys[0].Certificates, 1)
	assert.Empty(t, m.Entities[1].Keys[0].Unread)

	changes := bsnk(t, nil, pkioverheid.PrivateG1).Update(m)
	require.Len(t, changes.Refused, 1)
	assert.Nil(t, changes.Refused[0].Certificate)
	assert.Equal(t, "urn:nl:one", changes.Refused[0].EntityID)
	assert.Equal(t, key.Unread[0], changes.Refused[0].Err)

	// What is damaged stays an error.
	for name, damaged := range map[string]string{
		"base64": strings.Replace(text, lines(other), "MAA*", 1),
		"XML":    odd[:len(odd)-20],
		"empty":  strings.Replace(text, lines(other), "", 1),
	} {
		_, err := logius.ReadMetadata(strings.NewReader(damaged))
		assert.Error(t, err, name)
	}
}

// Each error has its line, and the document is long.
func TestManyCertificatesThatAreNotReadTakeLittleTime(t *testing.T) {
	text := network(entity("urn:nl:one", keyDescriptor("signing", issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{}))))
	const n = 9_000
	text = strings.Replace(text, "<md:KeyDescriptor", strings.Repeat(" ", 14<<20)+"<md:KeyDescriptor", 1)
	text = strings.Replace(text, "</ds:X509Data>", strings.Repeat("\n<ds:X509Certificate>MAA=</ds:X509Certificate>", n)+"</ds:X509Data>", 1)
	const most = time.Second // it takes 0.2 s, and 2.3 s where each error counts the lines anew
	var m *logius.Metadata
	took := most
	for try := 0; took >= most && try < 5; try++ { // the machine may be busy
		var err error
		begin := time.Now()
		m, err = logius.ReadMetadata(strings.NewReader(text))
		took = time.Since(begin)
		require.NoError(t, err)
	}
	assert.Less(t, took, most)
	unread := m.Entities[0].Keys[0].Unread
	require.Len(t, unread, n)
	assert.ErrorContains(t, unread[n-1], "line "+strconv.Itoa(1+strings.Count(text[:strings.LastIndex(text, "<ds:X509Certificate>")], "\n"))+",")
}
