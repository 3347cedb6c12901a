// Package pkioverheid makes Go programs trust PKIoverheid, the PKI of the Dutch
// government, and nothing that was withdrawn from it. It carries the CA
// certificates, which no browser or operating system has, and gives them to the
// types that programs already use.
//
// # What to use
//
// A newcomer needs three packages: this one, package pkiotest for tests, which has
// hierarchies like the real ones with keys, and package chain/crl for revocation.
//
//   - A client of an HTTP service (REST, SOAP, ebMS): [NewClient], or [NewTransport]
//     for a library that wants an http.RoundTripper. [LoadKeyPair] reads the
//     certificate that you were issued, in any form that it is delivered in.
//   - A client of something else: [ClientTLSConfig].
//   - A server that systems of the government call: [NewServer], with an [Authorizer]
//     such as [AllowOIN], or an [OINList] that may change. See the table below.
//   - A certificate beside a signature, in a token or an archive: [NewVerifier].
//   - Anything that takes an x509.CertPool, such as a database driver: [DefaultCertPool].
//   - A certificate that you came across: [ClaimOf] says what it claims to be,
//     [RejectG3] whether it is of the hierarchy that was withdrawn, and package advice
//     what must be done about it, by when, and whom to ask.
//   - A certificate of yours that must be replaced: [WatchKeyPair] follows its files
//     while the program runs, and [Trace] has the alert, in Own.
//   - A certificate that must be refused from now on: [Trust.Distrusted], which
//     [WatchDistrusted] keeps as a file says.
//   - The rules of Digikoppeling: package digikoppeling.
//
// # Who calls?
//
//	where                               function
//	net/http                            Server.Handler, then IdentityFromContext
//	net/http, one route                 Server.HandlerFor
//	net/http behind a proxy with TLS    ServerConfig.Proxy, and Server.Handler
//	gRPC, fasthttp, HTTP/3, raw TLS     Server.TLSConfig, then Server.Identify
//	a token, a message, an archive      Verifier.Verify, with a check of the signature
//	a test                              Authority.Identity and WithIdentity of pkiotest
//
// # The hierarchies
//
// [PrivateG1] is what machines used between 2020 and now; it ends in November
// 2028. [PrivateG4TLS] replaces it: a client that trusts G1 only fails at a server
// that has moved. [EV] has ended, and is there to verify what was signed until
// December 2022, at a time in the past ([Trust.Time]). [G3] was withdrawn, and is
// refused in every form in which a server can present it.
//
// # What is verified
//
// crypto/tls and crypto/x509 verify as they always do. On top of that, each
// connection needs one complete chain to a self-signed root that is valid and
// has no withdrawn CA in it and passes [Trust.Policy], also when a TLS session is resumed.
//
// Revocation lists are consulted where [Trust.Revocation] is set, which PKIoverheid
// and Digikoppeling ask for: it takes a crl.Checker of package chain/crl, which a
// program makes once and closes at its end.
//
// Servers often send part of their chain only, or in disorder. That is handled:
// the CAs between are known here. A server's mistake is not the end of your
// connection, and a withdrawn CA is not saved by leaving it out.
//
// The file pkioverheid/facts.md, which comments cite by section, holds the facts
// that this module is built on, with their sources.
package pkioverheid
