// Package truststore holds certificates as a set that can be read from files,
// listed, searched, compared and written. A crypto/x509 CertPool can be none of
// these. It serves any PKI.
//
// # Reading
//
// [Open] reads a file or a folder, and [Decode] reads bytes. Both tell the format
// by the content, never by the name, so that a .cer file may be what it likes:
//
//	store, err := truststore.Open("/etc/pki/partners")
//	if err != nil {
//		return err // names the file, the block and the byte
//	}
//	config := &tls.Config{RootCAs: store.CertPool()}
//
// Reading is strict. A certificate that cannot be read, a private key where
// certificates belong, an HTML page saved as a certificate: each is an error that
// says where it is, and nothing is returned. A file that was cut off in transit
// can thus not become a program that trusts less than it should, and nobody knows
// why. Files may come from anybody: what is read is bounded (see [WithLimit]), in
// time as in memory.
//
// [DecodeKey] reads a private key, encrypted or not, with the certificates that
// lie beside it.
//
// # Using
//
// A [Store] is an ordered set of certificates. [Store.All] lists it,
// [Store.BySubject] and [Store.Get] search it, [Store.Filter] selects from it,
// [Diff] says what changed between two of them, and [Store.CertPool] gives what
// crypto/tls wants. A certificate is named by its [Fingerprint], the SHA-256 that
// CAs publish.
//
// That a certificate is in a Store says nothing about trust. Whoever puts the
// Store to use as roots trusts all that is in it.
//
// # Writing
//
// [Store.Encode] writes PEM, with a line before each certificate that tells a
// person what it is, or DER.
package truststore
