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
// from a folder; keeps them in memory and in a cache; and refreshes them in the
// background. A certificate whose status cannot be determined is refused.
// [Checker.Status] reports the state of each CRL.
//
// # Lists
//
// A CA publishes a signed list of the certificates that it has revoked (RFC 5280
// section 5). [Parse] reads it into a [List], with a million entries in some 25 MB.
// Anybody can make a list: ask [List.CheckSignatureFrom] whether it is the CA's,
// [List.Covers] whether it speaks about a certificate, NextUpdate whether it is
// current, and then [List.Check] whether the certificate is revoked.
//
// An error is never a reason to accept a certificate.
//
// # What is refused
//
// Each of these leaves the status of a certificate unknown, which refuses it:
//
//	What                            Section of RFC 5280  Why refusing it is safe
//	delta CRL                       5.2.4                the complete CRL says all that it says, a little later
//	indirect CRL                    5.2.5, 5.3.3         it may speak for other CAs: only its own CA's list does
//	CRL for some reasons only       5.2.5, 6.3.3         that it does not list a certificate proves nothing
//	point for some reasons, or      4.2.1.13             as the two above: another list must cover the certificate
//	  with a CRL issuer of its own
//	distribution point name         4.2.1.13             it is never taken for the name of another point
//	  relative to the CRL issuer
//	unknown critical extension      5.2, 5.3             it may change what the list means
//	no CRL number                   5.2.3                lists of one date cannot be distinguished; see AllowUnnumbered
//	critical CRL number, empty      5.2.3, 5.2.5         no CA that keeps the standard makes one
//	  issuingDistributionPoint
//
// Where a list or a certificate points to a delta CRL (4.2.1.15, 5.2.6), Status notes it: a
// revocation that is only in the delta CRL is found when the next complete one comes. A
// list with a revokedCertificates that is present and empty (5.1.2.6) is accepted.
//
// # Details
//
// Parse refuses what [x509.ParseRevocationList] does, and times that are not as DER and RFC
// 5280 have them; a nextUpdate that is missing or before thisUpdate; delta CRLs, indirect
// CRLs, and critical extensions other than an issuing distribution point, a reason code or an
// invalidity date; an extension that is there twice; an issuing distribution point that says
// nothing; serial numbers of more than 128 octets, CRL numbers that are negative or have more
// than 20, and more than 64 KiB around the entries; and data after any of its parts. The
// entries take less memory than their DER.
//
// CheckSignatureFrom: the names are equal, and the key identifiers where both are there;
// issuer is a CA whose key usage, if it has one, has cRLSign; and its key made the signature:
// RSA (PKCS #1 or PSS) or ECDSA with SHA-256, SHA-384 or SHA-512, or Ed25519.
//
// Covers: the issuing distribution point of a list, if it has one, fits the kind of
// certificate, CA or not; is not for some reasons of revocation only; and, if it has names,
// shares one with a distribution point of the certificate that has neither reasons nor a CRL
// issuer of its own, or with the name of the CA.
//
// Which list decides: each certificate except the root needs a CRL signed by its
// issuer, the next in the chain, that covers it and is current, from an http or https
// address in the certificate or from the folder. After a change of key another
// certificate with the name of the issuer may sign it: one above in the chain, or one of
// Config.Signers or the folder that verifies up to the same root and is not revoked,
// never one that a peer sent. What the newest list of either key has as revoked is
// revoked. That a certificate is good, a list by another key says only if the
// certificate names its address or the list is in the folder. Only a list for the same
// certificates that is not older replaces a list. A certificate on a list of its issuer
// is revoked even where the list has ended or is for others.
//
// Waiting: if no current CRL is available, Policy waits for a fetch, at most
// Config.Timeout and together with all who need it. Once that has failed nobody waits:
// it is tried again in the background, at least once a minute, and until it works the
// certificates that need it are refused at once.
//
// Memory: a CRL that nothing needed for a day is not refreshed, but stays in use until
// something needs it again. If the lists take more than 16 times Config.MaxBytes, or
// have more than 255 addresses, the one not used for longest gives way, and Status
// reports it. A CA with more than a quarter of the room gives way first. What Prefetch
// fetched stays.
//
// Folder: hidden files and folders in it are not read, nor more than 10,000 files or 16
// times Config.MaxBytes. A list in use stays so until it ends if its file is gone or
// damaged, or has an older list, one for others, or one that its CA did not sign.
//
// Cache: its lists are verified like those that are fetched. It has at most 256 files
// and 64 times Config.MaxBytes. If it cannot be written, connections do not notice, and
// Status and Logger report it.
//
// SoftFail is for what could not be fetched: no allowed server gave a complete answer. An
// error status, such as 404, and an answer of more than Config.MaxBytes are not complete.
// A list from before that has ended, in memory, in the cache or in the folder, counts as no
// list then, but who is on it stays revoked; a restart without a Cache forgets that. It does
// not apply to a list that a server gives although it has ended, or that is not the issuer's
// or is for others, to an answer that is not a CRL, a host that is not allowed, a
// certificate that names no address, a list that gave way, and files of the cache or folder
// that cannot be read.
//
// The past: for a time more than five minutes ago (or the clock skew, if that is more)
// the question is whether the certificate was revoked by then, also if only on hold. A
// list that was current at that time answers it, such as one kept in the folder. So
// does a later list made before the certificate expired, except for what was on hold in
// between: CAs remove expired certificates from their lists.
//
// OCSP: a response has thisUpdate and nextUpdate, and an algorithm and a key that
// [List.CheckSignatureFrom] accepts. A responder other than the issuer has a
// certificate by that issuer for OCSP signing, is not a CA, and is valid and not
// revoked. The response is for its connection, never for the past, and SoftFail does
// not apply.
package crl
