package logius_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// .NET writes the year 1 for a time that was not set. In an agreement it is none; metadata
// with it has ended for all other programs.
func TestTheYearOneIsNoneInAgreementsAndLongAgoInMetadata(t *testing.T) {
	cert := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})
	for _, text := range []string{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00", "0001-01-01T00:00:00+01:00"} {
		m := readMetadata(t, strings.Replace(network(entity("urn:nl:one", keyDescriptor("signing", cert))), "<md:EntityDescriptor", `<md:EntityDescriptor validUntil="`+text+`"`, 1))
		assert.False(t, m.Entities[0].ValidUntil.IsZero(), text)
		changes := bsnk(t, nil, pkioverheid.PrivateG1).Update(m)
		require.Len(t, changes.Refused, 1, text)
		assert.ErrorContains(t, changes.Refused[0].Err, "counted until 0", text)
	}
	agreement := readCPA(t, strings.Replace(cpa(party("A", ownOIN, cert)), "<tp:End>2030-11-25T00:00:00<", "<tp:End>0001-01-01T00:00:00Z<", 1))
	assert.True(t, agreement.End.IsZero())
}

// A space in front of an entityID, which the schema takes away, took the OIN away from it.
func TestBlanksAroundAnEntityIDAreNotOfIt(t *testing.T) {
	const id = "urn:nl-eid-gdi:1.0:RD:00000004000000149000:entities:9002"
	cert := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})
	m := readMetadata(t, network(entity(" "+id+"\n", keyDescriptor("signing", cert))))
	assert.Equal(t, id, m.Entities[0].ID)
	assert.Len(t, bsnk(t, nil, pkioverheid.PrivateG1).Update(m).Refused, 1, "its certificate bears another OIN")

	_, err := logius.ReadMetadata(strings.NewReader(network(entity(id, keyDescriptor("signing", cert)), entity(id+" ", keyDescriptor("signing", cert)))))
	assert.ErrorContains(t, err, "for the second time")
}
