package advice_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
)

// CIBG issued under G1 as long as that was what to order.
func TestWhatToOrderAtAPastTimeIsOfTheSupplierThatIsNamed(t *testing.T) {
	cert := testcert.Claiming(t, testcert.CA(t, "UZI-register Private Server CA G1"), policy(t, "2.16.528.1.1003.1.2.8.6"), until(date(2024, 1, 1)))
	a := advice.For(cert, "", date(2024, 2, 1))
	assert.Equal(t, pkioverheid.CIBG, a.Supplier)
	require.NotNil(t, a.Order)
	assert.Equal(t, pkioverheid.PrivateG1, a.Order.Hierarchy)
	assert.Equal(t, []pkioverheid.TSP{pkioverheid.CIBG}, a.Order.Suppliers)
}

func TestDutchIsWhatADutchReaderWouldWrite(t *testing.T) {
	g1 := testcert.Claiming(t, testcert.CA(t, kpnG1), policy(t, "2.16.528.1.1003.1.2.8.6"), withoutNames)
	for words, a := range map[string]advice.Advice{
		"Dit had uiterlijk op 31-12-2020 moeten gebeuren.":                   advice.For(testcert.CA(t, kpnG3), "", date(2026, 11, 28)),
		"sinds 12-11-2028 is geen certificaat eronder meer geldig. Vertrouw": advice.For(testcert.CA(t, kpnG1), "", date(2029, 1, 1)),
		"of om een certificaat met een domeinnaam onder Private G4 TLS":      advice.For(g1, advice.ClientOnly, date(2026, 11, 28)),
	} {
		assert.Contains(t, a.Dutch().Text, words)
	}
}

// The seventh server CA of G3 was gone before the plan of 2020 (facts.md §1).
func TestTheSeventhServerCAOfG3WasRevokedIn2018(t *testing.T) {
	ca := testcert.CA(t, "Digidentity PKIoverheid Organisatie Server CA - G3")
	for _, cert := range []*x509.Certificate{ca, testcert.Claiming(t, ca)} {
		for _, at := range []time.Time{date(2019, 1, 1), date(2026, 11, 28)} {
			a := advice.For(cert, "", at)
			assert.Equal(t, advice.Withdrawn, a.Status)
			assert.Equal(t, advice.ActNow, a.Urgency)
			assert.Equal(t, date(2018, 5, 17), a.Deadline)
			assert.Contains(t, a.Text, "was revoked on 17 May 2018; ")
			assert.Contains(t, a.Dutch().Text, "op 17 mei 2018 is ingetrokken; ")
			assert.NotContains(t, a.Text+a.Dutch().Text, "2020")
		}
	}
}

func TestG3HasEndedAfterItsEnd(t *testing.T) {
	for at, words := range map[time.Time]string{date(2028, 11, 1): " tot G3 in november 2028 eindigt.", date(2029, 1, 1): " tot G3 in november 2028 eindigde, "} {
		assert.Contains(t, advice.For(pkioverheid.G3.Root(), "", at).Dutch().Text, words)
	}
}
