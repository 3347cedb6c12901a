package logius

import (
	"github.com/go-pkioverheid/trust/pkioverheid"
)

// Service is one of the services of Logius that the replacement plan of 2020 names,
// with what was published about it (facts.md §4 and §5). It is data and belongs to
// whoever got it: where your own agreement with Logius says otherwise, change it.
type Service struct {
	Name string `json:"name"`

	// Protocol is "SAML", "SOAP" or "ebMS2".
	Protocol string `json:"protocol"`

	// Hosts are the hosts that clients call. None were published of BSNk, whose
	// network metadata has them (see [Entity.Hosts]), and of Berichtenbox.
	Hosts []Host `json:"hosts,omitempty"`

	// Hierarchies are those that a client must trust by the plan of 2020.
	Hierarchies []pkioverheid.Hierarchy `json:"hierarchies"`

	// Successors are trusted as well: Private G4, to which everybody must have moved
	// before 2028. On which day a service moves is not public, and a client
	// that does not trust G4 fails on that day. To do without, set it to nil.
	Successors []pkioverheid.Hierarchy `json:"successors,omitempty"`

	// TSP is the provider that must have issued the server's certificate; empty
	// means any. It is recognised by the key of the issuing CA, never by its name.
	TSP pkioverheid.TSP `json:"tsp,omitempty"`

	Notes []Note `json:"notes,omitempty"`
}

// Host is a host of a service. Its port is 443.
type Host struct {
	Name        string      `json:"name"` // the DNS name
	Environment Environment `json:"environment"`

	// Network is empty where the plan does not say it.
	Network Network `json:"network,omitempty"`

	// Path is the one that the plan names, if it does; clients may call others.
	Path string `json:"path,omitempty"`
}

// Environment is one of those that a service has. Names of your own are possible,
// with hosts of your own.
type Environment string

const (
	Production    Environment = "production"
	Preproduction Environment = "preproduction"
	Acceptance    Environment = "acceptance"  // acceptatie
	Development   Environment = "development" // ontwikkel
)

// Network is where a host can be reached.
type Network string

const (
	Internet    Network = "internet"
	Diginetwerk Network = "Diginetwerk" // the closed network of the Dutch government
)

// Note is something that was or is to be done or known, with its date where it has
// one.
type Note struct {
	// Date is as it was published: a month, a day, or a day and a time of day
	// without a time zone, in the order of ISO 8601. Empty is not a date.
	Date        string      `json:"date,omitempty"`
	Environment Environment `json:"environment,omitempty"` // empty: all
	Text        string      `json:"text"`
}

// Services returns the services in the order of the plan, in a new slice that
// shares nothing with that of another call.
func Services() []Service {
	return []Service{
		BSNk(),
		DigiD(),
		DigiDMachtigen(),
		MijnOverheidPersoonlijkeGegevens(),
		MijnOverheidLopendeZaken(),
		MijnOverheidBerichtenbox(),
	}
}

// BSNk is the service for pseudonyms. Its hosts are in the network metadata: put
// them into Hosts. EV is among its hierarchies and has ended; it counts at times in
// the past only. See [Service.NewKeyring] for its signing and encryption
// certificates.
func BSNk() Service {
	return Service{
		Name:        "BSNk",
		Protocol:    "SAML",
		Hierarchies: []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.EV},
		Successors:  g4(),
		Notes: []Note{
			{"", "", "the hosts are in the network metadata (XML)"},
			{"", "", "the signing certificates published in the network metadata go into the application's trust store too; a new encryption certificate replaces the old one"},
			evEnds(),
			g1Ends(),
		},
	}
}

// DigiD is the authentication service. [CheckDigiDCertificates] has the rules for
// the certificates of whoever connects to it.
func DigiD() Service {
	const metadata = "/saml/idp/metadata"
	return Service{
		Name:     "DigiD",
		Protocol: "SAML",
		Hosts: []Host{
			{"was-preprod1.digid.nl", Preproduction, "", metadata},
			{"was.digid.nl", Production, "", metadata},
		},
		Hierarchies: []pkioverheid.Hierarchy{pkioverheid.PrivateG1},
		Successors:  g4(),
		Notes: []Note{
			{"", "", "the connected party shows a TLS client certificate; preproduction and production must use the same kind of certificate"},
			{"2021-01-31", "", "a new certificate must end after this day, or DigiD refuses it"},
			{"2022-12", "", "since then the connected party's certificate is under Private G1 only: EV has ended"},
			g1Ends(),
		},
	}
}

// DigiDMachtigen is the service for authorising others.
func DigiDMachtigen() Service {
	return Service{
		Name:     "DigiD Machtigen",
		Protocol: "SOAP",
		Hosts: []Host{
			{"soap.pp.machtigen.digid.nl", Preproduction, "", ""},
			{"soap.ontwikkel.machtigen.digid.nl", Development, "", ""},
			{"soap.acceptatie.machtigen.digid.nl", Acceptance, "", ""},
			{"soap.machtigen.digid.nl", Production, "", ""},
		},
		Hierarchies: []pkioverheid.Hierarchy{pkioverheid.PrivateG1},
		Successors:  g4(),
		Notes: []Note{
			g1Ends(),
		},
	}
}

// mijnOverheid are the hosts that two of its services share.
func mijnOverheid(path string) []Host {
	return []Host{
		{"osb.preprod.mijnoverheid.nl", Preproduction, Internet, path},
		{"osb.mijnoverheid.nl", Production, Internet, path},
		{"osb.dn.preprod.mijnoverheid.nl", Preproduction, Diginetwerk, path},
		{"osb.kps.mijnoverheid.nl", Production, Diginetwerk, path},
	}
}

// MijnOverheidPersoonlijkeGegevens is MijnOverheid's service for personal data.
func MijnOverheidPersoonlijkeGegevens() Service {
	return Service{
		Name:        "MijnOverheid Persoonlijke Gegevens",
		Protocol:    "SOAP",
		Hosts:       mijnOverheid(""),
		Hierarchies: []pkioverheid.Hierarchy{pkioverheid.PrivateG1},
		Successors:  g4(),
		Notes: []Note{
			g1Ends(),
		},
	}
}

// MijnOverheidLopendeZaken is MijnOverheid's service for current affairs. It is
// trusted in one of three ways, each with a new CPA:
//
//   - by the CPA: [ReadCPA] and [CPA.Check], then its certificates;
//   - by the leaf: chain.PinLeaf in Trust.Policy, on top of the hierarchy;
//   - by the hierarchy: a client as it is.
func MijnOverheidLopendeZaken() Service {
	return Service{
		Name:        "MijnOverheid Lopende Zaken",
		Protocol:    "ebMS2",
		Hosts:       mijnOverheid("/exchange/00000004003214345001"),
		Hierarchies: []pkioverheid.Hierarchy{pkioverheid.PrivateG1},
		Successors:  g4(),
		Notes: []Note{
			{"", "", "three ways: a new CPA on the new certificate; TLS offloading that checks the certificate itself (pin the leaf); TLS offloading that trusts the hierarchy (check that the new chain is there). A new CPA is needed in each case"},
			g1Ends(),
		},
	}
}

// MijnOverheidBerichtenbox is MijnOverheid's service for messages to citizens. No
// hosts of it were published: put yours into Hosts. Its certificates are KPN's, and
// only the CAs of KPN whose keys are known here count as such. For the CPA
// register see [RegisterCertificate].
func MijnOverheidBerichtenbox() Service {
	return Service{
		Name:        "MijnOverheid Berichtenbox",
		Protocol:    "ebMS2",
		Hierarchies: []pkioverheid.Hierarchy{pkioverheid.PrivateG1},
		Successors:  g4(),
		TSP:         pkioverheid.KPN,
		Notes: []Note{
			{"", "", "the day of the replacement was agreed with the customer"},
			{"", "", "the certificate is issued by KPN and the OIN must be in its subject; upload only the end-entity certificate to the CPA register, not the chain"},
			g1Ends(),
		},
	}
}

// evEnds and g1Ends are true of every service under these hierarchies (facts.md §1
// and §5).
func evEnds() Note {
	return Note{"2022-12-08", "", "the EV root ended: nothing under it verifies after this day"}
}

func g1Ends() Note {
	return Note{"2028-11", "", "Private G1 ends: move to Private G4 before 2028. The day on which this service moves is not public; until then trust both"}
}

func g4() []pkioverheid.Hierarchy { return []pkioverheid.Hierarchy{pkioverheid.PrivateG4TLS} }

// trusted are the hierarchies that a client of the service trusts. It is never nil,
// which would mean all of them.
func (s Service) trusted() []pkioverheid.Hierarchy {
	return append(append([]pkioverheid.Hierarchy{}, s.Hierarchies...), s.Successors...)
}
