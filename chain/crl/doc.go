// Package crl refuses revoked certificates, which crypto/tls and crypto/x509 do not
// look for.
//
// Most programs need only a [Checker], whose Policy plugs into package chain:
//
//	checker, err := crl.NewChecker(crl.Config{
//		Hosts: []string{"crl.example"},
//		Cache: "/var/cache/example/crl",
//	})
//	if err != nil {
//		return err
//	}
//	defer checker.Close()
//	verifier, err := chain.NewVerifier(roots, intermediates, chain.WithPolicy(checker.Policy))
//
// It fetches the CRLs that the certificates of a verified chain name, or reads them
// from a folder on systems without a way out; keeps them in memory and in a cache;
// and refreshes them in the background. A certificate whose status cannot be
// determined is refused. [Checker.Status] reports the state of each CRL.
//
// # Lists
//
// A certification authority publishes a signed list of the certificates that it has
// revoked, with the date at which the next list is due (RFC 5280 section 5). [Parse]
// reads such a list into a [List], which holds a million entries in some 25 MB. Then,
// for a certificate and the CA that issued it:
//
//   - [List.CheckSignatureFrom] reports whether the list is by that CA;
//   - [List.Covers] reports whether the list speaks about that certificate;
//   - [List.ThisUpdate] and [List.NextUpdate] say whether it is current;
//   - [List.Check] reports whether the certificate was revoked at a time; its
//     [RevokedError] says when and why.
//
// A list proves nothing before the first of these was asked: anybody can make one.
//
// What this package does not understand it refuses: lists of changes only (delta
// CRLs), lists that speak for other CAs (indirect CRLs), and lists with critical
// extensions that it does not know. An error is never a reason to accept a
// certificate.
//
// # Details
//
// Which list decides. [Checker.Policy] checks each certificate except the root
// against a CRL of its issuer, the next in the chain: one from an http or https
// address in the certificate, or one in the folder. The list must be signed by that
// issuer, speak about the certificate and be current. Of several, the newest decides.
// A list is replaced only by one for the same certificates that is not older. A
// certificate that is on a list of its issuer is revoked even where the list has
// ended or is for others. Nothing is fetched for a chain with a certificate that is
// known to be revoked.
//
// Waiting. Policy does not wait while a current CRL is available. Otherwise it waits
// for a fetch, at most for Config.Timeout and together with everyone else who needs
// the same one. Once that has failed, nobody waits for it: it is tried again in the
// background, after 5 seconds first and then less often, once a minute at least.
// Until it works, certificates that need that CRL are refused at once.
//
// Quiet days and room. A CRL that nothing needed for a day is no longer refreshed. It
// stays in use: the next certificate that needs it is checked against it and has it
// refreshed. If all lists take more than 16 times Config.MaxBytes, or have more than
// 255 addresses, the one that was not used for longest gives way, and Status says so.
// A CA that takes more than a quarter of the room makes room among its own. What
// Prefetch fetched never gives way.
//
// Folder. Hidden files, other files and folders in it are not read, nor more than
// 10,000 files or 16 times Config.MaxBytes. A list that is in use stays so until it
// ends if its file is gone or damaged, or has an older list, one for others, or one
// that its CA did not sign.
//
// Cache. What is in it is verified like what is fetched. It has at most 256 files and
// 64 times Config.MaxBytes. A cache that cannot be written costs no connection: it is
// tried again, and Logger and Status say so.
//
// SoftFail is for one case only: no list of the issuer is available, and no server
// that is allowed gave a complete answer. A certificate is refused all the same if it
// is revoked; if the list is not the issuer's or has ended; if the answer is not a
// CRL; if the host is not allowed or the certificate names none; and if its CRL gave
// way for room or may be in a file of the cache or the folder that cannot be read.
//
// The past. A time more than five minutes ago, or more than the clock skew if that is
// longer, is in the past. Then the question is whether the certificate was revoked by
// that time. Two kinds of lists can answer it:
//
//   - a list that was current at that time, such as one kept in the folder;
//   - any later list that was made while the certificate had not expired. CAs take
//     expired certificates off their lists, and until then a list has all that was
//     ever revoked, but not what was on hold and no longer is.
//
// So a current CRL answers for the past of a certificate that has not expired; for one
// that has, only a list kept from before can. If any list of the issuer says that the
// certificate was revoked by that time, it counts as revoked, also if it was only on
// hold.
//
// OCSP. A response that [Checker.CheckOCSPResponse] accepts has thisUpdate and
// nextUpdate, within the clock skew, and an algorithm and a key that
// [List.CheckSignatureFrom] accepts, so not SHA-1. A responder that is not the issuer
// has a certificate by that issuer for OCSP signing, is not a CA, and is valid and not
// revoked. The time is compared with the response as it is: a response is for the
// connection that it came with, not for the past. SoftFail does not apply.
package crl
