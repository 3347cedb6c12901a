// Package crl reads certificate revocation lists and tells which certificates
// they revoke.
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
