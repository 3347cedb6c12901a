// Package truststore holds certificates as a set that can be read from files, listed,
// searched, compared and written, which a crypto/x509 CertPool cannot. It serves any PKI.
//
// # Reading
//
// [Open] reads a file or a folder, and [Decode] reads bytes. Both recognise the format
// by the content, never by the name:
//
//	store, err := truststore.Open("/etc/pki/partners")
//	if err != nil {
//		return err // names the file, the block and the byte
//	}
//	config := &tls.Config{RootCAs: store.CertPool()}
//
// Reading is strict. A certificate that cannot be read, a private key where certificates
// belong, an HTML page saved as a certificate: each is an error that says where it is, and
// nothing is returned. So a file that was cut off does not become a program that trusts
// less than it should. Files may come from anybody: what is read is bounded, in time as in
// memory (see [WithLimit]).
//
// [WithPassword] opens what has a password. [KeepGoing] returns the good part of a bad
// file, for programs that repair or report. [DecodeKey] reads a private key with the
// certificates beside it. [Entries] lists what a file holds and where, with the names that
// key stores and documents give to it.
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
// Each is a package below internal, and a row of the table in format.go.
//
// # Using
//
// A [Store] is an ordered set of certificates. [Store.All] lists it, [Store.BySubject]
// searches it, [Store.Filter] selects from it, [Diff] compares two, and
// [Store.CertPool] is what crypto/tls wants. A certificate is named by its [Fingerprint].
//
// That a certificate is in a Store says nothing about trust. Whoever uses the Store as
// roots trusts all that is in it.
//
// # Writing
//
// [Store.Encode] writes all formats but XML. To give trust to a Java program:
//
//	data, err := store.Encode(truststore.PKCS12, truststore.WithPassword("changeit"))
//
// and java -Djavax.net.ssl.trustStore=FILE -Djavax.net.ssl.trustStorePassword=changeit
// reads it. [Store.WriteFile] writes the bytes to a file, so that readers find the
// old ones or the new ones and never a part, and [ReplaceFile] writes anything else so.
// [Store.EncodeTrustPackage] makes what cert-manager's trust-manager distributes in a
// Kubernetes cluster.
//
// # Following
//
// [Watch] follows a file or a folder that changes while the program runs, and a [Source]
// returns the present contents. [NewSource] makes one that the program sets. [System]
// lists what the operating system trusts (on Linux), to compare it with what a program
// should trust.
//
// # Details
//
// Decode. In PEM, CERTIFICATE, TRUSTED CERTIFICATE, PKCS7 and PKCS12 blocks are read, PKCS#7
// under the label of a certificate too, as Java does, and text between blocks and CRLs are
// skipped. Signatures of PKCS#7 and of XML documents are not
// checked. PKCS#12 is read with the encryption of today (AES, PBMAC1) and of old (RC2,
// triple DES). Of a JCEKS the certificates are read, as of a JKS, up to the first secret
// key. Zero bytes after the end of DER, PKCS#7 and PKCS#12 are ignored. A document with a DTD
// or in another encoding than UTF-8
// is refused. crypto/x509 reads no certificate with a negative serial number or a key on
// another curve than P-224, P-256, P-384 and P-521: [ReadOutline] says what it is. A
// password must be that of a PKCS12 or JKS, and a PKCS12 in which
// something is not encrypted and has no MAC is refused with one; for other formats it is
// ignored, so that a folder can hold both.
// Without a password, what is not encrypted is read without a check of its integrity, as
// keytool does: a JKS always, a PKCS12 rarely.
//
// DecodeKey. Of encrypted PKCS#8 it reads PBES2 with PBKDF2 and AES or triple DES in CBC
// mode; in PKCS#12 also RC2 and triple DES; and the older encryption of OpenSSL
// ("Proc-Type: 4,ENCRYPTED"). A file whose password must be hashed in more than 16 million
// blocks, which are 8 million iterations of PBKDF2, is refused.
//
// Encode. The same Store gives the same bytes, except for the random salts of PKCS12. The
// order is that of the Store; in a JKS it is that of the aliases, and each entry has the
// day from which its certificate is valid. An alias is the common name in lower case, with
// a number after it where two have the same. An empty Store gives a file without
// certificates, which Decode refuses. The password keeps nothing secret, but Java ignores
// what is in a PKCS12 without one; keytool wants six characters when it makes a file. Java
// refuses files with a certificate without an issuer, without any name, or with an RSA key
// of less than 512 or more than 16384 bits. PKCS12 is encrypted with AES-256, which is read
// by Java 12, by 8 and 11 with updates since July 2021, by OpenSSL 1.1.1 and by Windows
// Server 2019; JKS is for older Java. A ConfigMap, to which trust-manager writes, holds 1
// MiB: some 500 certificates.
//
// ReplaceFile. The bytes go to a temporary file in the same folder, which then takes the
// place of the file; of several writers the last one wins. Where the system does not
// permit the group, the new group gets no more rights than everybody has. The set-user-ID and
// set-group-ID bits, access control lists and other extended attributes are not kept, and
// other hard links keep the old contents. A symbolic link is refused because its target
// or the link may be meant: resolve it first (filepath.EvalSymlinks). After an error the
// folder is as it was, unless the error says that the new contents are in place but may be
// lost with the power. A killed process may leave a file .truststore-*.tmp, which Open
// does not read.
//
// Watch. To recognise a file that is still being written, a Source uses new contents only
// when it finds them twice, at least a quarter of a second apart; WriteFile is safe in any
// case. The first contents must only be the same after they were read as before, and are
// read at most ten times. Contents are compared by hash: the Store stays while the
// certificates and their order do. Files are read when their size, mode, time of
// modification or, on Unix, time of change is new, and once a minute in any case. An error is
// reported once for each change on the disk, and so is the recovery.
package truststore
