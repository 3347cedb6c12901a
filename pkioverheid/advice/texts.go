package advice

import (
	"fmt"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
)

// text is a text in English and in Dutch. With arguments, see say, it has the same verbs
// in both, with numbers where their order differs.
type text struct{ en, nl string }

// say fills in a text. An argument that is a text itself is taken in the same language.
func say(t text, args ...any) text {
	en, nl := make([]any, len(args)), make([]any, len(args))
	for i, arg := range args {
		en[i], nl[i] = arg, arg
		if both, ok := arg.(text); ok {
			en[i], nl[i] = both.en, both.nl
		}
	}
	return text{fmt.Sprintf(t.en, en...), fmt.Sprintf(t.nl, nl...)}
}

func (t text) and(more text) text { return text{t.en + more.en, t.nl + more.nl} }

// The sentences about a certificate. The first argument names it.
var (
	textNone         = text{"There is no certificate to advise on.", "Er is geen certificaat om over te adviseren."}
	textUnrecognised = text{"%s is of no hierarchy of PKIoverheid that is known here: there is nothing to advise.", "%s hoort niet bij een hiërarchie van PKIoverheid die hier bekend is: er is geen advies."}
	textClaimsPolicy = text{"%s claims a policy of PKIoverheid (%s), and its CA is not known here: ask its supplier (TSP).", "%s noemt een policy van PKIoverheid (%s), maar de CA is hier niet bekend: vraag het de leverancier (TSP)."}
	textTest         = text{"%s is a test certificate (%s): it belongs in no production system, and none trusts it.", "%s is een testcertificaat (%s): het hoort niet in een productiesysteem, en geen productiesysteem vertrouwt het."}
	textPkiotest     = text{"%s is of package pkiotest, and %s: use it in tests only, and take it out of everything else.", "%s is van package pkiotest, en %s: gebruik het alleen in tests en verwijder het overal elders."}
	textOwnKeyPublic = text{"its private key is public", "de privésleutel ervan is openbaar"}
	textCAKeyPublic  = text{"the private key of its CA is public", "de privésleutel van de CA is openbaar"}
	textOverdue      = text{" Overdue since %s.", " Dit had uiterlijk op %s moeten gebeuren."}
	textG3CA         = text{"%s; take it out of what TLS trusts, and trust %s.", "%s; verwijder deze CA uit wat voor TLS wordt vertrouwd, en vertrouw %s."}
	textG3Persons    = text{" To check signatures of persons it may be needed until G3 ends in November 2028.", " Om handtekeningen van personen te controleren kan deze CA nodig blijven tot G3 in november 2028 eindigt."}
	textG3OfPersons  = text{" To check signatures that persons made until G3 ended in November 2028 it may be needed.", " Om handtekeningen te controleren die personen zetten tot G3 in november 2028 eindigde, kan deze CA nodig blijven."}
	textG3Ending     = text{"%s, and ends on %s. If it is used for TLS: %s.", "%s, en eindigt op %s. Als het voor TLS wordt gebruikt: %s."}
	textAsk          = text{"%s; %s.", "%s; %s."}
	textCAWithdrawn  = text{"The CA %s was withdrawn: take it out of what you trust, and trust %s.", "De CA %s is ingetrokken: verwijder die uit wat u vertrouwt, en vertrouw %s."}
	textUnderCA      = text{"%s is under %s, a CA that was withdrawn: %s.", "%s valt onder %s, een CA die is ingetrokken: %s."}

	textCA           = text{"%s (%s of %s)", "%s (%s van %s)"}
	textTSPCA        = text{"TSP certificate", "TSP-certificaat"}
	textStillGood    = text{"%s is good until %s, and after that only to check what was signed before: between machines trust %s.", "%s is geldig tot %s, en daarna alleen nog om te controleren wat eerder is ondertekend: vertrouw tussen systemen %s."}
	textWasGood      = text{"%s was good until %s, and since then only to check what was signed before: between machines trust %s.", "%s was geldig tot %s, en sindsdien alleen nog om te controleren wat eerder is ondertekend: vertrouw tussen systemen %s."}
	textTrustBeside  = text{"%s: no certificate under it verifies after %s. Trust %s beside it: whoever has moved to it is refused otherwise.", "%s: geen certificaat eronder is nog geldig na %s. Vertrouw %s ernaast: wie al is overgestapt wordt anders geweigerd."}
	textTrustInstead = text{"%s: no certificate under it verifies since %s. Trust %s in its place.", "%s: sinds %s is geen certificaat eronder meer geldig. Vertrouw in plaats daarvan %s."}
	textAskAfter     = text{"%s is good until %s: ask %s what comes after it.", "%s is geldig tot %s: vraag %s naar de opvolger."}
	textGoodUntil    = text{"%s is good until %s.", "%s is geldig tot %s."}

	textUnder         = text{"%s is a certificate under %s", "%s is een certificaat onder %s"}
	textSaysUnder     = text{"%s presents itself as a certificate under %s", "%s noemt zich een certificaat onder %s"}
	textEnded         = text{"%s that ended on %s: %s.", "%s dat op %s is geëindigd: %s."}
	textNoBrowser     = text{"%s, which no browser trusts: %s.", "%s, dat geen browser vertrouwt: %s."}
	textHierarchyEnds = text{"%s that ends on %s, as that hierarchy does in %s: %s.", "%s dat op %s eindigt, zoals die hiërarchie in %s: %s."}
	textAsked         = text{"%s that ends on %s, and Logius asked everyone to have left that hierarchy by %s: %s.", "%s dat op %s eindigt, en Logius vroeg iedereen om uiterlijk %s van die hiërarchie te zijn overgestapt: %s."}
	textAsks          = text{"%s that ends on %s, and Logius asks everyone to have left that hierarchy by %s: %s.", "%s dat op %s eindigt, en Logius vraagt iedereen om uiterlijk %s van die hiërarchie te zijn overgestapt: %s."}
	textBefore2028    = text{"%s that ends on %s; before then, and to have moved before 2028 as Logius asks everyone to, %s.", "%s dat op %s eindigt; voor die tijd, en om voor 2028 te zijn overgestapt zoals Logius iedereen vraagt: %s."}
	textBeforeThen    = text{"%s that ends on %s; before then, %s.", "%s dat op %s eindigt; voor die tijd: %s."}
	textGood          = text{"%s, good until %s.", "%s, geldig tot %s."}
	textGoodFrom      = text{"%s, good from %s until %s.", "%s, geldig van %s tot %s."}
)

// What to ask whom for.
var (
	textAskFor          = text{"ask %s for %s", "vraag %s om %s"}
	textGet             = text{"get %s", "neem %s"}
	textWithOIN         = text{"%s, with OIN %s in its subject:serialNumber", "%s, met OIN %s in subject:serialNumber"}
	textPublic          = text{"a public certificate of CA2020, under the EV root", "een publiek certificaat van CA2020, onder het EV-stamcertificaat"}
	textBrowsersTrust   = text{"a certificate of a CA that browsers trust (PKIoverheid no longer has one)", "een certificaat van een CA die browsers vertrouwen (PKIoverheid heeft die niet meer)"}
	textPrivateG1       = text{"a private certificate under Private G1", "een privaat certificaat onder Private G1"}
	textCertificate     = text{"a certificate under %s", "een certificaat onder %s"}
	textForAnyUse       = text{phrase.ForAnyUse, "een certificaat onder Private G4 (Private G1 eindigt in november 2028), of, voor een publieke website, onder een CA die browsers vertrouwen"}
	textGOther          = text{`a certificate of an organisation for %s under "Staat der Nederlanden - G4 Root Priv G-Other - 2024" (policy %s)`, `een certificaat van een organisatie voor %s onder "Staat der Nederlanden - G4 Root Priv G-Other - 2024" (policy %s)`}
	textOrWithName      = text{"%s, or for one with a domain name under Private G4 TLS (policy %s)", "%s, of om een certificaat met een domeinnaam onder Private G4 TLS (policy %s)"}
	textAuthenticity    = text{"authenticity (authenticiteit)", "authenticiteit"}
	textConfidentiality = text{"confidentiality (vertrouwelijkheid)", "vertrouwelijkheid"}
	textAuthentication  = text{"authentication", "authenticatie"}
	textSupplier        = text{"the certificate supplier", "de certificaatleverancier"}
	textQuoVadis        = text{"the certificate supplier (QuoVadis, now DigiCert)", "de certificaatleverancier (QuoVadis, nu DigiCert)"}
	textNamedSupplier   = text{"the certificate supplier (%s)", "de certificaatleverancier (%s)"}
)

// What to order.
var (
	textYourOIN           = text{"your OIN in subject:serialNumber, where you use Digikoppeling", "uw OIN in subject:serialNumber, als u Digikoppeling gebruikt"}
	textOIN               = text{"OIN %s in subject:serialNumber", "OIN %s in subject:serialNumber"}
	textKvK               = text{"your number in the Handelsregister as organizationIdentifier (NTRNL-…)", "uw KvK-nummer als organizationIdentifier (NTRNL-…)"}
	textG1Server          = text{"a server certificate under Private G1", "een servercertificaat onder Private G1"}
	textG4Server          = text{"a system certificate under Private G4 G-TLS", "een systeemcertificaat onder Private G4 G-TLS"}
	textG4Client          = text{"an authentication certificate of an organisation under Private G4 G-Other", "een authenticatiecertificaat van een organisatie onder Private G4 G-Other"}
	textG4Authenticity    = text{"an authenticity certificate of an organisation under Private G4 G-Other", "een authenticiteitscertificaat van een organisatie onder Private G4 G-Other"}
	textG4Confidentiality = text{"a confidentiality certificate of an organisation under Private G4 G-Other", "een vertrouwelijkheidscertificaat van een organisatie onder Private G4 G-Other"}
	textG1Names           = text{"your DNS names, if it is a server's", "uw DNS-namen, als het van een server is"}
	textG4Names           = text{"1 to 100 DNS names, without wildcards and IP addresses, also if it is only a client's", "1 tot 100 DNS-namen, zonder wildcards en IP-adressen, ook als het alleen van een client is"}
	textTheseNames        = text{"the DNS names %s", "de DNS-namen %s"}
	textMoreNames         = text{"the DNS names %s and %d more", "de DNS-namen %s en nog %d"}
	textBothUsages        = text{"serverAuth and clientAuth", "serverAuth en clientAuth"}
	textNoNames           = text{"clientAuth, and no DNS names", "clientAuth, en geen DNS-namen"}
	textRSA2048           = text{"an RSA key of 2048 bits or more", "een RSA-sleutel van 2048 bits of meer"}
	textRSA3072           = text{"an RSA key of 3072 bits or more, and a request that is signed with RSASSA-PSS", "een RSA-sleutel van 3072 bits of meer, en een aanvraag die met RSASSA-PSS is ondertekend"}
	textRSACIBG           = text{"an RSA key of 3072 bits or more (4096 at CIBG), and a request that is signed with RSASSA-PSS", "een RSA-sleutel van 3072 bits of meer (4096 bij CIBG), en een aanvraag die met RSASSA-PSS is ondertekend"}
)

// What the error about G3 says in English, in Dutch. %s is its problem.
var (
	textG3IsCA      = text{"%[1]s", "%[2]s is een CA die %[3]s"}
	textG3SaysCA    = text{"%[1]s", "Een certificaat noemt zich %[2]s, die %[3]s"}
	textG3Under     = text{"%[1]s", "%[4]s valt onder %[2]s, die %[3]s"}
	textG3SaysUnder = text{"%[1]s", "%[4]s noemt als uitgever %[2]s, die %[3]s"}
)

const (
	dutchWithdrawn = "is ingetrokken: servercertificaten eronder moesten uiterlijk op 31 december 2020 zijn vervangen"
	dutchRevoked   = "op 17 mei 2018 is ingetrokken"
	dutchNotForTLS = "niet tussen systemen mag worden gebruikt: wat van G3 over is, is voor personen en handtekeningen"
)

var dutchMonths = [...]string{"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"}

// month is a month with its year.
func month(t time.Time) text {
	return text{t.Format("January 2006"), fmt.Sprintf("%s %d", dutchMonths[t.Month()-1], t.Year())}
}

// day is a date.
func day(t time.Time) text {
	return text{phrase.Day(t), t.UTC().Format("02-01-2006")}
}

// supplier names whom to ask for a certificate.
func supplier(tsp pkioverheid.TSP) text {
	switch tsp {
	case "":
		return textSupplier
	case pkioverheid.QuoVadis:
		return textQuoVadis
	}
	return say(textNamedSupplier, string(tsp))
}
