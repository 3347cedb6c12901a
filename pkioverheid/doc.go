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
// # Details
//
// Server.Handler. The identity of a connection is kept for a minute: within that time a
// certificate that ends or is revoked, and a root that is taken away, stop counting on
// connections that stay open. The Authorizer is asked for every request. What it says in an
// *[AccessError] is for the caller to read; of any other error the caller learns no more
// than that it was refused. A proxy's header that is refused is refused for five seconds
// without being read again. Trace.Refused hears of every refusal, and Trust.Logger at most
// once a second for each reason: the reason, the address, the number left out, and the OIN
// and subject, which are claims where the certificate was not verified. Where the
// certificate of a connection is refused, the connection is closed.
//
// Server.TLSConfig. It announces no G3 and no CA that has ended or is refused by then
// (Trust.RefuseFrom). httptest and gRPC make a Clone of a configuration, on which settings
// would be lost after a change of roots or key pairs.
//
// Trust.Revocation. A certificate is looked up after all else passed. An OCSP response that
// the other side sends in the handshake must be good besides. Waiting for a CRL is part of
// the handshake: crl.Config.Timeout must be shorter than the TLSHandshakeTimeout of a Base
// of your own, and crl.Config says what becomes of a connection when a CRL is not available.
// The check is in VerifyConnection and not in the pool of a tls.Config: whatever takes a
// pool alone needs that of a [Verifier].
//
// WatchDistrusted. The file is UTF-8; empty lines and those that begin with # do not count.
// One that distrusts nothing has such a line: a file of no bytes may be cut off. SHA256 is
// in hex, with colons or without, or in base64: of a certificate, or of the
// SubjectPublicKeyInfo of a key. NAME is a distinguished name as openssl and RFC 4514 write
// it, in double quotes ("CN=…,O=…,C=NL"), with \" and \, for these two within a value, or
// its DER in base64, as in OneCRL. HEX is a serial number as openssl prints it. At most
// 100,000 lines of 16 KiB are read.
//
// RefusedCertificate. A result is given where the server asked for a certificate when the
// connection was made; for 400 and 403 in TLS 1.3 where it asked for none, since it may
// want one for some paths only (see ClientConfig.RenegotiateHosts); and for a response that
// did not come through a [Transport], of which it says that nothing is known. What a
// [Server.Handler] answers within half a second is taken over.
//
// ClientTLSConfig. It offers TLS 1.2 and later, with the cipher suites that the NCSC rates
// good or sufficient. Base, PublicHosts and RenegotiateHosts are errors there. A config
// trusts what was in Trust.Roots when it was made and still is.
//
// RejectG3. A CA of others that is called G3 is not refused. The pools and configurations of
// this package have the veto built in.
//
// ClientConfig.Base. These are errors: DialTLS, DialTLSContext, functions in TLSNextProto, and in
// TLSClientConfig InsecureSkipVerify, RootCAs, ServerName, Certificates,
// GetClientCertificate, Time, Renegotiation, a MaxVersion below TLS 1.2, and what only
// servers have.
//
// Transport. It resumes the sessions of the last 64 host names, until the trust or a key pair
// is replaced; two ports of one name, called in turn, resume none. SessionTicketsDisabled in
// Base's TLSClientConfig switches that off.
//
// The file pkioverheid/facts.md, which comments cite by section, holds the facts
// that this module is built on, with their sources.
package pkioverheid
