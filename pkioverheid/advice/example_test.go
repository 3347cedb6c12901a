package advice_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
)

// What a certificate of Private G1 is told in late 2026.
func ExampleFor() {
	g1 := pkioverheid.PrivateG1.Root()
	a := advice.For(g1, advice.MachineToMachine, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
	fmt.Println(a.Status, a.Urgency, a.Deadline.Format(time.DateOnly), a.Replacement)
	fmt.Println(a.Text)
	for _, source := range a.Sources {
		fmt.Println("-", source)
	}
	// Output:
	// ending later 2028-11-12 Private G4 TLS
	// "Staat der Nederlanden Private Root CA - G1" (stamcertificaat of Private G1): no certificate under it verifies after 2028-11-12. Trust Private G4 TLS (stamcertificaat "Staat der Nederlanden - G4 Root Priv G-TLS - 2024") beside it: whoever has moved to it is refused otherwise.
	// - Logius: everyone must have moved before 2028, when G3 and Private G1 end
}

// What goes into a report.
func ExampleAdvice() {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	a := advice.For(pkioverheid.EV.Root(), advice.MachineToMachine, at)
	a.Text, a.Sources = "…", nil
	data, err := json.Marshal(a)
	fmt.Println(string(data), err)
	// Output: {"status":"ended","urgency":"now","deadline":"2022-12-05T00:00:00Z","replacement":"private-g4-tls","text":"…"} <nil>
}

// The same advice in both languages.
func ExampleAdvice_Dutch() {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	a := advice.For(pkioverheid.PrivateG1.Root(), advice.MachineToMachine, at)
	fmt.Println(a.Text)
	fmt.Println(a.Dutch().Text)
	// Output:
	// "Staat der Nederlanden Private Root CA - G1" (stamcertificaat of Private G1): no certificate under it verifies after 2028-11-12. Trust Private G4 TLS (stamcertificaat "Staat der Nederlanden - G4 Root Priv G-TLS - 2024") beside it: whoever has moved to it is refused otherwise.
	// "Staat der Nederlanden Private Root CA - G1" (stamcertificaat van Private G1): geen certificaat eronder is nog geldig na 12-11-2028. Vertrouw Private G4 TLS (stamcertificaat "Staat der Nederlanden - G4 Root Priv G-TLS - 2024") ernaast: wie al is overgestapt wordt anders geweigerd.
}
