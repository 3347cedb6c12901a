package pkioverheid

// TSP is a trust service provider: whom to ask for a certificate. The State
// itself, which runs roots and domain CAs, is not one.
type TSP string

const (
	KPN         TSP = "KPN"
	QuoVadis    TSP = "QuoVadis" // now part of DigiCert
	DigiCert    TSP = "DigiCert"
	Digidentity TSP = "Digidentity"
	CIBG        TSP = "CIBG" // UZI-register
	Cleverbase  TSP = "Cleverbase"
	Defensie    TSP = "Ministerie van Defensie"
)

func tspOf(organization []string) TSP {
	if len(organization) != 1 {
		return ""
	}
	switch organization[0] {
	case "KPN B.V.":
		return KPN
	case "QuoVadis Trustlink B.V.":
		return QuoVadis
	case "DigiCert Europe Netherlands B.V.":
		return DigiCert
	case "Digidentity B.V.":
		return Digidentity
	case "CIBG":
		return CIBG
	case "Cleverbase ID B.V.":
		return Cleverbase
	case "Ministerie van Defensie":
		return Defensie
	}
	return ""
}
