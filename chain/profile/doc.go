// Package profile has profiles of certificates as policies of package chain:
// [RFC5280], what that standard demands beyond what crypto/x509 checks, and
// [WebPKI], what the CA/Browser Forum demands of public servers.
//
// They can only refuse, look at the certificates alone, and cost a few microseconds
// a chain. Give them to chain.WithPolicy; chain.All(RFC5280, WebPKI) asks both.
package profile
