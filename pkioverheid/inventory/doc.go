// Package inventory finds certificates: in files of every format that package
// truststore reads, in folders of any size, and on servers. It reports of each where
// it is, what it is used for, whether it still leads to a root of PKIoverheid, and
// what must replace it.
//
//	for r := range inventory.Scan(ctx, inventory.Config{}, "/etc", "service.example:443") {
//		if r.Err != nil {
//			log.Print(r.Err) // names the file or the host; the scan goes on
//			continue
//		}
//		fmt.Println(r, r.Advice().Text)
//	}
//
// # What is found
//
// Formats are recognised by the content of a file and not by its name:
//
//   - DER, PKCS#7, PKCS#12, JKS, PKIPath, and .sst of Windows; DER also in base64 if there is
//     nothing else in the file.
//   - PEM in any text, also in comments, in strings of programs and of JSON, on one line,
//     in UTF-16, in base64, as Kubernetes keeps it, and escaped as in a URL, as proxies
//     hand on the certificates of clients.
//   - Base64 of DER, PKCS#7, PKCS#12 and JKS as a value in any text, such as YAML, JSON,
//     properties and XML, and the x5c of JSON Web Keys and Signatures.
//   - XML documents, recognised by their root element: X509Certificate of any name space, and the
//     BinarySecurityToken of WS-Security. SAML metadata, CPAs and trusted lists also say what
//     a certificate is for.
//   - The parts of MIME messages, such as those of ebMS.
//   - The files in archives: zip (also jar, war, ear), tar, gzip, and these inside one another.
//
// A private key in a file is compared with the certificates in it: [KeyEntry] is the
// certificate of the key, and [KeyMismatch] one that lies beside the key of another. A key
// with a password that is not known is taken for that of the certificates beside it.
//
// A private key in a file of its own, of up to 64 KiB, is compared with the certificates in
// the same folder that its name goes with: www.key with www.pem, www.crt, www.cer and
// www.cert, and privkey.pem of certbot with fullchain.pem and cert.pem. The first
// certificate must not be a CA. Nothing is said of a key whose password is not known, nor
// of one whose certificate is in another of these files.
//
// # What is not found
//
// A file that holds none of these is skipped without a word, after a look at its beginning
// if it is binary; where it is itself a target, it is a Result with an Err that says
// what it is. A value in text that is cut off, or that begins as no certificate does, is
// an example or a placeholder.
//
// What cannot be looked at, or is broken, is a Result with an Err: unreadable files and
// folders, files beyond [Config.MaxFileSize], key stores whose password nobody knows, hosts
// that do not answer, and archives beyond the bounds below. Archives and compressed files of
// other kinds (7z, rar, xz, bzip2, zstd), encrypted and damaged ones, images of disks, SQLite
// databases, key stores of NSS and Bouncy Castle, and the objects of git repositories are Results
// with an Err that is [ErrSkipped], and [Progress] counts them. So an inventory without
// errors has missed nothing but what no program can know from other bytes: certificates in
// the middle of binary files, in images of containers that are not archives, in databases of
// other kinds, in base64 of archives (as releases of Helm are kept) or of base64 other than of
// PEM, in base64url other than that of JSON Web Signatures, in hexadecimal (.reg files, arrays of
// C), and in pieces that a program or an
// XML entity puts together.
//
// # What it costs
//
// Memory does not grow with the number of files, nor the time to the first
// result. Certificates are verified when a Result is asked, each distinct one once as
// long as it is remembered.
//
// Files, hosts and what they hold may be anybody's: sizes, depths and times are
// bounded. Archives are read as streams, six inside one another at most, and 200,000 files
// in all; no more may come out of one than 64 MiB and a hundred times its size, and 16 GiB.
// Trying passwords takes two minutes a file at most. Of a file's errors a hundred are results,
// and so are a hundred that are [ErrSkipped]; one more result says how many are left out.
// A scan trusts nothing, and writes and changes nothing.
//
// # Details
//
// Scan. What lies in two targets is found twice. In folders, symbolic links to files outside
// of the targets are followed, each file once; links to files inside are found anyway. Links
// to folders are not followed, but a target may be one. A folder that cannot be read, or
// more than 256 levels down, is a Result with an Err. The end of a scan may have to wait for
// a read of the file system or for a password that is being tried.
//
// ErrSkipped. It is in the errors of pipes, sockets and devices, symbolic links that lead
// nowhere, binary files beyond the limit, archives, images and databases that are not read,
// certificates that crypto/x509 does not read and that have no name of PKIoverheid, and, in
// an FS, symbolic links to folders. It is not in those of links to folders outside of the
// targets: what is there is not known.
package inventory
