package pkioverheid

import "fmt"

// OIN is an Organisatie-identificatienummer: 20 characters, of which 8 are the
// prefix that tells the register, 8 or 9 the number in that register, and the
// rest a suffix (facts.md §6). PKIoverheid puts it in subject:serialNumber.
type OIN string

// Prefix returns the first eight characters, nothing of an OIN that is shorter.
func (o OIN) Prefix() string {
	if len(o) < 8 {
		return ""
	}
	return string(o[:8])
}

// Register returns the Dutch name of the number that the prefix announces, such
// as "RSIN" or "KVK-nummer"; nothing for a prefix that is not known here, which
// is no reason to refuse an OIN.
func (o OIN) Register() string {
	switch o.Prefix() {
	case "00000001":
		return "RSIN"
	case "00000002":
		return "Fi-nummer"
	case "00000003":
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
	case "00000099":
		return "testnummer"
	}
	return ""
}

// Validate checks the form: 20 characters, the first eight and the last three of
// them digits, digits or capital letters in between. Any prefix and any suffix
// pass: older OINs in use have suffixes other than 000.
func (o OIN) Validate() error {
	if len(o) != 20 {
		return fmt.Errorf("pkioverheid: %s is no OIN: it has %d characters, not 20", quote(string(o)), len(o))
	}
	for i := range len(o) {
		digit := o[i] >= '0' && o[i] <= '9'
		letter := o[i] >= 'A' && o[i] <= 'Z'
		if !digit && (!letter || i < 8 || i >= 17) {
			return fmt.Errorf("pkioverheid: %s is no OIN: character %d is %q", quote(string(o)), i+1, rune(o[i]))
		}
	}
	return nil
}
