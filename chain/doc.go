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
//
// # Details
//
// Anchors. A CA below a root is an anchor of its own in the pools of a Verifier: the
// path above it was verified when the pool was made, and a function that the pool has
// for it (x509.CertPool.AddCertWithConstraint) completes each chain before policies see
// it. Only CAs with no other CA of the verifier below them are in a pool; a certificate
// that a CA further up issued verifies if the peer sends that CA too. Of an anchor,
// crypto/x509 applies the name constraints; of those above it, nothing. So no CA is an
// anchor below one that constrains names or policies.
//
// Roots. A root must be self-issued, although RFC 5280 section 6.1.1 (d) takes any name
// and key for a trust anchor.
//
// Pinning. To trust one end-entity certificate, trust its CA and use [PinLeaf].
// crypto/x509 checks neither the issuer nor the constraints of a certificate that is
// itself in a pool.
//
// Memory. [Verifier.Verify] and [Verifier.VerifyRaw] remember, by the SHA-256 of an
// end-entity certificate and the key usages asked for, the chains that crypto/x509 returned.
// The next time they compare all dates with the time and the name with the host, and ask all
// vetoes and policies, but check no signature. If no remembered chain passes, a whole
// verification follows. A chain may have intermediates that were given before and are not
// given now. Refusals are not remembered. At most 10,000 certificates and 64 MiB are kept,
// and what came twice stays longer; [Verifier.Replace] forgets all. [Verifier.Explain] does
// not use it.
//
// Times. A zero time means now, everywhere.
//
// Limits. A peer chooses what it sends, and every call ends within 100 ms anyway. RSA keys
// above 8192 bits or with an exponent above 65537 are not used. Names may lead to 64 sent
// certificates, with 256 KiB, 2000 extensions and 1000 certificate policies in all, and,
// with the verifier's own, to 10,000 names and 10,000 name constraints, fewer where there
// are many paths. A search for a path checks at most 100 signatures, as crypto/x509 does;
// one by an RSA key above 4096 bits or an ECDSA key above 256 bits counts as four, above
// 384 bits as eight. What is beyond the limits is refused as [Unsupported]. crypto/tls
// verifies with a pool first, within its own limits.
package chain
