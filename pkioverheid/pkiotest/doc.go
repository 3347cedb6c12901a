// Package pkiotest makes certificates that look like those of PKIoverheid, and
// test servers that show them. With the real hierarchies a program cannot be
// tested: nobody but their CAs has the private keys.
//
// An [Authority] is one hierarchy: a root, a domain CA and two TSP CAs, four
// layers with the certificate that it issues, which a [Leaf] describes. Its CA
// certificates are copies of the real ones in everything but their serial number,
// key and key identifiers: names, validity, extensions and signature algorithm,
// which for Private G4 is RSASSA-PSS. CA certificates and keys are ready-made, so
// that a certificate costs a test one signature, some milliseconds.
//
//	authority := pkiotest.New(pkioverheid.PrivateG4TLS)
//	srv := authority.NewServer(handler, pkiotest.Leaf{})
//	defer srv.Close()
//
//	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(authority)})
//	res, err := client.Get(srv.URL)
//
// # The keys are public
//
// Everybody can read the private keys in this package, so package pkioverheid
// lists them as compromised, and refuses them and what they signed. The one
// way to have it trust an Authority is pkioverheid.Trust.Roots with the
// *x509.Certificate values of this package, which [Trust] puts there and
// [Authority.Roots] returns.
// The same root read back from a file, a Secret or a handshake is refused. A
// program that does not import this package cannot be made to trust it through
// package pkioverheid. A pool of crypto/x509 knows nothing of this: never put a
// root from here in one outside tests.
//
// # What to test
//
// A program that speaks to the government needs to go on working, and to go on
// refusing. With an Authority a case:
//
//   - Private G1, in use until November 2028: a server of New(PrivateG1) is
//     trusted, also if it sends nothing but its own certificate (Leaf.LeafOnly).
//   - Private G4, its successor: a server of New(PrivateG4TLS) is trusted by
//     the same client, with the roots of both in one Source. The certificates are
//     signed with RSASSA-PSS, which not every TLS terminator verifies.
//   - G3, withdrawn in 2020: a server of New(G3) is refused, with a TSP CA of
//     2016 and with the one of 2019 that has the same key (Leaf.TSP). A client of
//     pkioverheid cannot be made to trust it: its root in Trust.Roots is an
//     error, so test with a client that has other roots, or none.
//   - EV, ended in December 2022: certificates verify at [Authority.Time], for
//     archives and signatures of those years, and not now.
//   - A client that authenticates itself: Issue(Leaf{OIN: "00000099000000001000"}),
//     with ClientOnly or without; and one that a server has to refuse: without an OIN,
//     with another, with the policy of a person (Policies), expired (NotAfter).
//   - A service with a host name of its own: [Authority.NewService] and [Base] let a
//     program call it by that name.
//   - A server of yours, with mutual TLS: [Serve]; key pairs in files: [Files]; an alert
//     about a certificate that must be replaced: [Advice].
//   - Revocation: [Authority.Revoke] a certificate of a peer, or the TSP CA above it,
//     and refuse it with pkioverheid.Trust.Revocation. [CRLConfig] makes a
//     crl.Checker find the CRLs; [Authority.ServeCRL] has them be what they
//     should not, [Authority.OCSPResponse] is for servers that send OCSP responses.
//
// # Details
//
// Certificates have no IP addresses, as those of PKIoverheid; those of clients under G1
// have no DNS names, and those of G4 always have one. [Leaf].OIN may also be what real
// certificates have there besides an OIN; numbers that start with 00000099 are for tests.
// A policy for Leaf.Policies is "2.16.528.1.1003.1.2.8.1", say, of a person under
// PrivateG1. G3 has KPN's TSP CA twice, of 2019 and of 2016, with one key: Leaf.TSP says
// which of the certificates goes into the chain. Leaf.Key can be an HSM's: only its
// public key is used. Keys of this package are RSA-2048, under G4 RSA-3072.
//
// The certificates have no OCSP address. The CRLs that they name are at the
// addresses of the real CAs or in the style of these, where nobody has them.
// A revocation counts from a minute before [Authority.Time] on, and a crl.Checker sees it
// with the next CRL that it fetches: revoke first, or move its clock by four hours.
// A CRL is signed as the CA's certificates are, and [CRLHandler] serves one that is at
// most an hour old; of two Authorities of one hierarchy it serves the first. With
// [CRLConfig] nothing is listened to. OCSP responses count from a minute before
// [Authority.Time] for a day, and are signed with the key of the CA that issued the
// certificate, RSA with PKCS #1 also under G4; they say that they were made now, which under
// EV is later.
//
// A test of a server behind nginx (pkioverheid.Proxy) writes the header with
// url.PathEscape(string(pem.EncodeToMemory(…))), and not with url.QueryEscape. The
// request's RemoteAddr must be an address in Proxy.From.
//
// The Client method of a server of [Authority.NewServer] returns a client of
// crypto/x509's own rules, which trusts every CA of the Authority, G3 too, at
// [Authority.Time]: to see what pkioverheid makes of the server, use a client of
// pkioverheid. For a tls.Config of your own, set TLS of a server from
// httptest.NewUnstartedServer, with a certificate from Issue in it. A server of
// [Authority.NewService] lets in certificates under any of pkioverheid.Hierarchies, has
// the clock [Authority.Time], and does not log refusals.
package pkiotest

//go:generate go run generate.go
