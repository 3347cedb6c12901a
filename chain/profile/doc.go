// Package profile has profiles of certificates as policies of package chain:
// [RFC5280], what that standard demands beyond what crypto/x509 checks, and
// [WebPKI], what the CA/Browser Forum demands of public servers.
//
// They can only refuse, look at the certificates alone, and cost a few microseconds
// a chain. Give one to chain.WithPolicy: WebPKI has the rules of RFC5280 in it.
//
// # Details
//
// RFC5280 asks for nothing that the standard only recommends. It does not ask for the upper
// bounds and string types of appendix A, nor for the parameters of signature algorithms
// (RFC 4055 section 5 accepts both forms). Some old public roots fail it: version 1, serial
// number zero, or no key identifiers. Section 6 asks none of this of a trust anchor; it is
// asked anyway.
//
// WebPKI cannot see public suffixes and Certificate Transparency. It asks for nothing of
// certificate policies, other attributes of a subject, the places of CRLs, and the
// extended key usages of CAs. It holds end-entity certificates to the requirements of
// today, but for their validity.
package profile
