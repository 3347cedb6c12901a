// Package chain finds and judges the path from a certificate to a trust anchor.
//
// A [Verifier] holds roots and the CAs below them. The trust decision is that of
// crypto/x509, never more lenient; the Verifier adds what crypto/x509 leaves to others:
//
//   - peers that send their own certificate only, their chain out of order or
//     with parts missing: [Verifier.Verify] and [Verifier.CertPool] know the
//     issuing CAs, and [Verifier.Complete] and [Verifier.CompleteKeyPair] give the
//     chain that should be sent;
//   - a [Policy], asked about each complete chain up to its root: in Verify, in
//     the pools that crypto/tls and others take, and by [Verifier.Check] for
//     resumed sessions;
//   - a [Veto] of certificates, keys or names, which may refuse before any
//     signature is checked;
//   - ready-made policies: to pin a leaf, to require a certificate policy, to bound
//     keys and algorithms, and two profiles, [Strict] (what RFC 5280 asks beyond
//     crypto/x509) and [WebPKI] (public servers);
//   - package crl, whose policy refuses what was revoked;
//   - an [Error] that tells the path as far as it goes and what broke it, and
//     [Verifier.Explain], which tells a reader about each certificate and what to do.
//
// The package knows no particular PKI.
package chain
