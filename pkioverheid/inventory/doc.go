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
// Formats are recognised by the content of a file and not by its name: PEM in any text
// file, also beside private keys, in comments, in strings of programs and of JSON,
// on one line, and in base64, as Kubernetes keeps it; DER, also in base64 if there is
// nothing else in the file; PKCS#7; PKCS#12 and JKS; and XML documents, of which SAML
// metadata and CPAs also say what each certificate is for. A file that holds none
// of these is skipped without a word, after a look at its beginning if it is
// binary; where it is itself a target, it is a Result with an Err that says what it is. Archives and images are not opened up, nor are key stores of other kinds,
// and DER in base64 is not looked for in other text, such as the x5c of a JWK.
//
// What cannot be looked at, or is broken, is a Result with an Err, so that an
// inventory without errors has missed nothing: unreadable files and folders, files
// beyond [Config.MaxFileSize], key stores whose password nobody knows, hosts that do
// not answer. Where there probably is nothing to find, [ErrSkipped] marks it.
//
// # What it costs
//
// Memory does not grow with the number of files, nor the time to the first
// result. Certificates are verified when a Result is asked, each distinct one once as
// long as it is remembered.
//
// Files, hosts and what they hold may be anybody's: sizes, depths and times are
// bounded. A scan trusts nothing and changes nothing.
package inventory
