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
// [WithPassword] opens what has a password. [KeepGoing] returns what is good of
// what is partly bad, for programs that repair or report. [DecodeKey] reads a
// private key, encrypted or not, with the certificates that lie beside it.
//
// [Entries] lists what a file holds and where, with the names that key stores and
// documents give to it, for programs that report rather than trust.
//
// # Formats
//
//	format   usual names       read                              written
//	PEM      .pem .crt .cer    also PKCS#7 and OpenSSL's         with a line that names
//	                           trusted certificates in it        each certificate
//	DER      .der .cer .crt    one or several, also in base64    yes
//	PKCS7    .p7b .p7c         signed or not                     without a signature
//	PKCS12   .p12 .pfx         Java's trust stores and others,   for Java, with a password
//	                           with today's encryption and old
//	JKS      .jks, cacerts     with a password or unchecked      with a password
//	XML      SAML, CPA         every ds:X509Certificate          no
//
// [Detect] tells them apart. Where certificates are wanted and a private key is
// found, reading fails: the key is in a file that is handed out as if it were
// public, or the wrong file was named.
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
// [Store.Encode] writes all of them but XML. To hand trust to a Java program:
//
//	data, err := store.Encode(truststore.PKCS12, truststore.WithPassword("changeit"))
//
// and java -Djavax.net.ssl.trustStore=FILE -Djavax.net.ssl.trustStorePassword=changeit
// reads it. [Store.WriteFile] puts the bytes into a file, so that readers find the
// old ones or the new ones and never a part. [Store.EncodeTrustPackage] makes what
// cert-manager's trust-manager distributes in a Kubernetes cluster, and [ReplaceFile]
// writes that, or anything else, as WriteFile does.
//
// # Following
//
// [System] lists what the operating system trusts (on Linux), to compare it with
// what a program should. [Watch] follows a file or a folder that changes while the
// program runs, and a [Source] gives what it holds at the moment. [NewSource] makes one
// that the program sets.
package truststore
