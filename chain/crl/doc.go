// Package crl refuses revoked certificates. crypto/tls and crypto/x509 do not ask
// whether a certificate was revoked; PKIoverheid requires it (pkioverheid/facts.md §7).
//
// A [Checker] is all that most programs need. Its Policy plugs into package chain:
//
//	checker, err := crl.NewChecker(crl.Config{
//		Hosts: []string{"crl.pkioverheid.nl", "crl.managedpki.com"},
//		Cache: "/var/cache/example/crl",
//	})
//	if err != nil {
//		return err
//	}
//	defer checker.Close()
//	verifier, err := chain.NewVerifier(roots, intermediates, chain.WithPolicy(checker.Policy))
//
// It fetches the CRLs that the certificates of a verified chain name, from the hosts
// that it may ask, or takes them from a folder on systems without a way out; keeps
// them in memory and in a cache; and refreshes them in the background, before they end
// and at least every four hours. Connections do not wait for that. Where it cannot be
// told whether a certificate was revoked, it is refused: see [Config] for the choice
// there is, and [Checker.Policy] for what is asked of a CRL. [Checker.Status] tells
// how it stands with each.
//
// # Lists
//
// A certification authority publishes a list of the certificates that it has
// withdrawn before their time, signed and with the date at which the next list
// is due (RFC 5280 section 5). [Parse] reads such a list into a [List], which
// holds a million entries in some 25 MB. Then, for a certificate and the CA that
// issued it:
//
//   - [List.CheckSignatureFrom] tells whether the list is that CA's;
//   - [List.Covers] tells whether the list speaks about that certificate;
//   - [List.ThisUpdate] and [List.NextUpdate] tell whether it is the current one;
//   - [List.Check] tells whether the certificate was revoked at a time, and its
//     [RevokedError] when and why.
//
// A list says nothing before the first of these was asked: anybody can make one.
//
// What this package does not understand it refuses: lists of changes only (delta
// CRLs), lists that speak for other CAs (indirect CRLs), and lists with critical
// extensions that it does not know. An error is never a reason to take a
// certificate for good.
package crl
