package pkioverheid

import (
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// OIN is an Organisatie-identificatienummer: 20 characters, of which 8 are the
// prefix that names the register, 8 or 9 the number in that register, and the
// rest a suffix (facts.md §6). PKIoverheid puts it in subject:serialNumber.
type OIN string

const (
	oinRSIN = "00000001"
	oinKvK  = "00000003"
	oinTest = "00000099"
)

// OINOf returns the serialNumber in a certificate's subject. It is an error if there is not
// one in the form of an OIN, and for a CA. Nothing is verified: anybody can write an OIN
// into a certificate. An [Identity] has the verified one.
func OINOf(cert *x509.Certificate) (OIN, error) {
	switch {
	case cert == nil || len(cert.Raw) == 0:
		return "", &rejection{problem: "There is no certificate to find an OIN in."}
	case cert.IsCA && cert.BasicConstraintsValid:
		return "", &rejection{problem: safetext.Certificate(cert) + " is a CA, whose serialNumber is not an OIN."}
	}
	switch n := serialNumbers(cert); {
	case n == 0:
		return "", &rejection{"The subject has no serialNumber, which should be the OIN.", "Order a certificate with one."}
	case n > 1:
		return "", &rejection{problem: fmt.Sprintf("The subject has %d serialNumbers, and nothing says which is the OIN.", n)}
	}
	oin := OIN(cert.Subject.SerialNumber)
	if fault := oin.fault(); fault != "" {
		return "", &rejection{problem: fmt.Sprintf("The subject's serialNumber %s is not an OIN: %s.", safetext.Quote(string(oin)), fault)}
	}
	return oin, nil
}

// oinOf returns the OIN in the subject, empty if there is none.
func oinOf(cert *x509.Certificate) OIN {
	if oin := OIN(cert.Subject.SerialNumber); isOIN(oin) && serialNumbers(cert) == 1 {
		return oin
	}
	return ""
}

// serialNumbers counts the subject's attributes of that type (2.5.4.5): a
// certificate with two is nobody's.
func serialNumbers(cert *x509.Certificate) int {
	n := 0
	for _, name := range cert.Subject.Names {
		if t := name.Type; len(t) == 4 && t[0] == 2 && t[1] == 5 && t[2] == 4 && t[3] == 5 {
			n++
		}
	}
	return n
}

// isOIN is Validate without an error to allocate.
func isOIN(o OIN) bool { return len(o) == 20 && o.fault() == "" }

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// prefix returns the first eight characters, nothing of an OIN that is shorter.
func (o OIN) prefix() string {
	if len(o) < 8 {
		return ""
	}
	return string(o[:8])
}

// Register returns the Dutch name of the number that the prefix announces, such
// as "RSIN" or "KVK-nummer"; empty for a prefix that is not known here. Do not refuse an
// OIN for that.
func (o OIN) Register() string {
	switch o.prefix() {
	case oinRSIN:
		return "RSIN"
	case "00000002":
		return "Fi-nummer"
	case oinKvK:
		return "KVK-nummer"
	case "00000004":
		return "sub-OIN"
	case "00000006":
		return "Logius"
	case "00000007":
		return "BRIN"
	case "00000008":
		return "buitenlands nummer"
	case "00000009":
		return "UZI-nummer"
	case "00000010":
		return "TRR-BD"
	case "00000011":
		return "Dezi-nummer"
	case oinTest:
		return "testnummer"
	}
	return ""
}

// IsTest reports whether the prefix is 00000099: a number for tests, which anyone
// may use and which therefore identifies nobody. An [Authorizer] of
// your own may refuse it.
func (o OIN) IsTest() bool { return o.prefix() == oinTest }

// Validate checks the form: 20 characters, the first eight and the last three of
// them digits, digits or capital letters in between. Any prefix and any suffix
// pass: older OINs in use have suffixes other than 000.
func (o OIN) Validate() error {
	if o == "" {
		return errors.New("pkioverheid: no OIN: want 20 characters, such as 00000003271987420000")
	}
	if fault := o.fault(); fault != "" {
		return fmt.Errorf("pkioverheid: %s is not an OIN: %s", safetext.Quote(string(o)), fault)
	}
	return nil
}

// fault says what is wrong with the form, nothing if it is right.
func (o OIN) fault() string {
	if len(o) != 20 {
		return fmt.Sprintf("it has %d characters, not 20", len(o))
	}
	for i := range len(o) {
		digit := o[i] >= '0' && o[i] <= '9'
		letter := o[i] >= 'A' && o[i] <= 'Z'
		if !digit && (!letter || i < 8 || i >= 17) {
			return fmt.Sprintf("character %d is %q", i+1, rune(o[i]))
		}
	}
	return ""
}
