// Package chain finds and verifies the path from a certificate to a trust anchor.
//
// A [Verifier] holds roots and the CAs below them. crypto/x509 takes the trust
// decision; the Verifier is never more lenient, and adds what crypto/x509 leaves to
// its callers:
//
//   - paths for peers that send their own certificate only, or their chain out of
//     order or incomplete ([Verifier.Verify], [Verifier.CertPool]), and the chain
//     that should be sent ([Verifier.Complete]);
//   - a [Policy], asked about each complete chain, also for resumed sessions
//     ([Verifier.Check]), and a [Veto], asked before signatures are checked;
//   - an [Error] with the path as far as it goes and what broke it, and an
//     [Explanation] of each certificate and of what to do.
//
// Package profile has policies for RFC 5280 and for public servers, package crl one
// for revocation.
package chain
