package logius_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func TestAnEntityIDCarriesAnOIN(t *testing.T) {
	for id, want := range map[string]pkioverheid.OIN{
		"urn:nl-eid-gdi:1.0:RD:00000004000000149000:entities:9002": "00000004000000149000",
		"urn:etoegang:HM:00000003520354760000:entities:9208":       "00000003520354760000",
		"URN:ETOEGANG:HM:00000003520354760000:entities:9208":       "00000003520354760000",
		"urn:example:00000003520354760000":                         "00000003520354760000",
		"https://was.digid.nl/saml/idp/metadata":                   "",
		"https://example.nl/:00000003520354760000:":                "", // not a URN
		"urn:nl:one": "",
		"":           "",
	} {
		oin, err := logius.Entity{ID: id}.OIN()
		assert.NoError(t, err, id)
		assert.Equal(t, want, oin, id)
	}
	for id, want := range map[string]string{
		"urn:etoegang:HM:00000003520354760000:entities:00000003271987420000": "several OINs",
		"urn:nl-eid-gdi:1.0:RD:0000000400000014900:entities:9002":            "carries none",
		"urn:Etoegang:HM": "carries none",
	} {
		_, err := logius.Entity{ID: id}.OIN()
		assert.ErrorContains(t, err, want, id)
	}
	start := time.Now()
	_, err := logius.Entity{ID: "urn" + strings.Repeat(":00000004000000149000", 1<<16)}.OIN()
	assert.NoError(t, err)
	assert.Less(t, time.Since(start), time.Second)
}

// Anybody with a certificate of PKIoverheid can put it into a document.
func TestAKeyringBindsKeysToPartiesByTheOIN(t *testing.T) {
	const id = "urn:nl-eid-gdi:1.0:RD:" + string(theirOIN) + ":entities:9002"
	theirs := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: theirOIN})
	others := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: ownOIN})
	nobodys := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})
	m := readMetadata(t, network(entity(id, keyDescriptor("signing", theirs), keyDescriptor("signing", others), keyDescriptor("", nobodys))))

	k := bsnk(t, nil, pkioverheid.PrivateG1)
	changes := k.Update(m)
	require.Len(t, changes.Refused, 2)
	assert.ErrorContains(t, changes.Refused[0].Err, "the certificate bears the OIN "+string(ownOIN))
	assert.ErrorContains(t, changes.Refused[1].Err, "has no serialNumber")
	assert.Equal(t, certsOf(k.Signing(id)), changes.Signing.Added)
	assert.Equal(t, 1, k.Signing(id).Len())

	k = bsnk(t, nil, pkioverheid.PrivateG1)
	k.AnyOIN = true
	assert.Empty(t, k.Update(m).Refused)
	assert.Equal(t, 3, k.Signing(id).Len())

	for _, malformed := range []string{"urn:etoegang:HM:123:entities:1", id + ":" + string(ownOIN)} {
		k = bsnk(t, nil, pkioverheid.PrivateG1)
		changes = k.Update(readMetadata(t, network(entity(malformed, keyDescriptor("signing", theirs)))))
		require.Len(t, changes.Refused, 1, malformed)
		k.AnyOIN = true
		assert.Empty(t, k.Update(readMetadata(t, network(entity(malformed, keyDescriptor("signing", theirs))))).Refused)
	}
}

func TestMetadataAndAgreementsTakeTheSameTimes(t *testing.T) {
	cert := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})
	for text, want := range map[string]string{
		"2026-12-31T12:00:00Z":      "2026-12-31T12:00:00Z",
		"2026-12-31T12:00:00":       "2026-12-31T12:00:00Z",
		"2026-12-31T12:00:00.25":    "2026-12-31T12:00:00.25Z",
		" 2026-12-31T12:00:00Z\t":   "2026-12-31T12:00:00Z",
		"2026-12-31T12:00:00+01:00": "2026-12-31T11:00:00Z",
		"2026-12-31T24:00:00":       "2027-01-01T00:00:00Z",
		"tomorrow":                  "",
		"2026-12-31":                "",
		"":                          "",
	} {
		metadata, errMetadata := logius.ReadMetadata(strings.NewReader(strings.Replace(
			network(entity("urn:nl:one", keyDescriptor("signing", cert))), "<md:EntityDescriptor", `<md:EntityDescriptor validUntil="`+text+`"`, 1)))
		agreement, errCPA := logius.ReadCPA(strings.NewReader(strings.Replace(
			cpa(party("A", ownOIN, cert)), "<tp:End>2030-11-25T00:00:00<", "<tp:End>"+text+"<", 1)))
		if want == "" {
			assert.ErrorContains(t, errMetadata, "want a time such as", text)
			assert.ErrorContains(t, errCPA, "want a time such as", text)
			continue
		}
		require.NoError(t, errMetadata, text)
		require.NoError(t, errCPA, text)
		assert.Equal(t, want, metadata.Entities[0].ValidUntil.UTC().Format(time.RFC3339Nano), text)
		assert.Equal(t, want, agreement.End.UTC().Format(time.RFC3339Nano), text)
	}
}

func TestAPartyOfTheComplianceFacilityHasAnOIN(t *testing.T) {
	a, b := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: ownOIN}), issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{OIN: theirOIN})
	read := readCPA(t, strings.ReplaceAll(cpa(party("A", ownOIN, a), party("B", theirOIN, b)), "urn:osb:oin", "urn:cv:oin"))
	_, found := read.Party(theirOIN)
	assert.True(t, found)
	assert.NoError(t, read.Check(verifier(t, logius.MijnOverheidLopendeZaken(), pkioverheid.PrivateG1), withinG1()))
}
