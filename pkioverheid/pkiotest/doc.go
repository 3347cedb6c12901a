// Package pkiotest makes certificates that look like those of PKIoverheid, and
// test servers that show them. With the real hierarchies a program cannot be
// tested: nobody but their CAs has the private keys.
//
// An [Authority] is one hierarchy: a root, a domain CA and two TSP CAs, four
// layers with the certificate that it issues. Its CA certificates are copies of
// the real ones in everything but their serial number, key and key identifiers:
// names, validity, extensions and signature algorithm, which for Private G4 is
// RSASSA-PSS. CA certificates and keys are ready-made, so that a certificate
// costs a test one signature, some milliseconds.
//
//	authority := pkiotest.New(pkioverheid.PrivateG4TLS)
//	srv := authority.NewServer(handler)
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
//     trusted, also if it sends nothing but its own certificate ([LeafOnly]).
//   - Private G4, its successor: a server of New(PrivateG4TLS) is trusted by
//     the same client, with the roots of both in one Source. The certificates are
//     signed with RSASSA-PSS, which not every TLS terminator verifies.
//   - G3, withdrawn in 2020: a server of New(G3) is refused, with a TSP CA of
//     2016 and with the one of 2019 that has the same key ([TSP]). A client of
//     pkioverheid cannot be made to trust it: its root in Trust.Roots is an
//     error, so test with a client that has other roots, or none.
//   - EV, ended in December 2022: certificates verify at [Authority.Time], for
//     archives and signatures of those years, and not now.
//   - A client that authenticates itself: Issue(OIN("00000099000000001000")), with
//     [ClientOnly] or without; and one that a server has to refuse: without an OIN, with
//     another, with the policy of a person ([Policy]), expired ([Validity]).
//   - A service with a host name of its own: [Authority.NewService] and [Base] let a
//     program call it by that name.
//   - A server of yours, with mutual TLS: [Serve]; key pairs in files: [Files]; an alert
//     about a certificate that must be replaced: [Advice].
//   - Revocation: [Authority.Revoke] a certificate of a peer, or the TSP CA above it,
//     and refuse it with pkioverheid.Trust.Revocation. [CRLConfig] makes a
//     crl.Checker find the CRLs; [Authority.ServeCRL] has them be what they
//     should not, [Authority.OCSPResponse] is for servers that send OCSP responses.
//
// The certificates have no OCSP address. The CRLs that they name are at the
// addresses of the real CAs or in the style of these, where nobody has them.
package pkiotest

//go:generate go run generate.go
