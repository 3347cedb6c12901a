// Package notcerts has the words for files that hold no certificate.
package notcerts

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/go-pkioverheid/trust/truststore/internal/ber"
)

// ErrKey is in the errors for private keys and for key stores that are not read.
var ErrKey = errors.New("truststore: there may be a private key in it")

// ErrPrivateKey is the error for a private key.
var ErrPrivateKey error = KeyError("this is a private key: give the file with the certificates")

// KeyError is an error that has ErrKey in it.
type KeyError string

func (e KeyError) Error() string { return string(e) }

func (e KeyError) Is(target error) bool { return target == ErrKey }

var (
	ErrRequest   = errors.New("this is a certificate request (CSR): give the certificate that the CA made of it")
	ErrPublicKey = errors.New("this is a public key without a certificate")
	errCMP       = errors.New("this is a message of CMP (RFC 4210), not a certificate")
	errAttribute = errors.New("this is an attribute certificate (RFC 5755), which holds no key")
	errCRL       = errors.New("this is a certificate revocation list (CRL), not a certificate")
	errOCSP      = errors.New("this is an OCSP response, not a certificate")
	errHTML      = errors.New("this is an HTML page, and no certificate: the download was probably refused; look at it in a browser")
	errHosts     = errors.New("this is a list of hosts, not of certificates: give the hosts themselves")
	errJSON      = errors.New("this is JSON, and no certificate is recognised in it")
	errSSH       = errors.New("this is a key of SSH, which has no certificates of X.509")
	errPGP       = errors.New("this is a message or a key of PGP, not a certificate")
	errArchive   = errors.New("this is an archive or a compressed file: unpack it, and give the files in it")
	errUnknown   = errors.New("neither certificates nor keys nor a container of them are recognised in it")
)

// magic is how files begin that are none of the formats.
var magic = []struct {
	at    int
	begin string
	err   error
}{
	{0, "\x00\x00\x00\x01\x00\x00\x00\x14", errBKS},
	{0, "\x00\x00\x00\x02\x00\x00\x00\x14", errBKS},
	{0, "\x00\x00\x00\x00CERT", errors.New("this is a certificate store of Windows (.sst), which is not supported: export the certificates as PKCS #7")},
	{0, "SQLite format 3\x00", KeyError("this is an SQLite database, perhaps a key store of NSS: export the certificates with certutil -L -a")},
	{0, "\x00\x06\x15\x61", KeyError("this is a key store of NSS, which is not supported: export the certificates with certutil -L -a")},
	{0, "PK\x03\x04", errArchive},
	{0, "PK\x05\x06", errArchive},
	{0, "\x1f\x8b", errArchive},
	{0, "BZh", errArchive},
	{0, "\xfd7zXZ\x00", errArchive},
	{0, "\x28\xb5\x2f\xfd", errArchive},
	{0, "7z\xbc\xaf\x27\x1c", errArchive},
	{257, "ustar", errArchive},
	{0, "PuTTY-User-Key-File-", ErrPrivateKey},
	{0, "ssh-rsa ", errSSH},
	{0, "ssh-ed25519 ", errSSH},
	{0, "ecdsa-sha2-", errSSH},
}

var errBKS error = KeyError("this is a BKS key store of Bouncy Castle: convert it with keytool -importkeystore -deststoretype PKCS12")

// Page says that a text that begins as markup does is a page of HTML; nil if it is not.
func Page(text []byte) error {
	if start := bytes.ToLower(text[:min(len(text), 512)]); bytes.Contains(start, []byte("<html")) || bytes.HasPrefix(start, []byte("<!doctype html")) {
		return errHTML
	}
	return nil
}

// Binary says what data is by its first bytes; nil if that is not known.
func Binary(data []byte) error {
	for _, m := range magic {
		if len(data) > m.at && bytes.HasPrefix(data[m.at:], []byte(m.begin)) {
			return m.err
		}
	}
	return nil
}

// Text says what a text is that is none of the formats.
func Text(text []byte) error {
	switch {
	case text[0] == '{' || text[0] == '[':
		return errJSON
	case isHosts(text):
		return errHosts
	}
	return errUnknown
}

// isHosts reports whether each line at the beginning of text is a host, with a port,
// or from two lines on without one.
func isHosts(text []byte) bool {
	const most = 4 << 10
	cut := len(text) > most
	hosts, ports := 0, 0
	lines := strings.Split(string(text[:min(len(text), most)]), "\n")
	if cut {
		lines = lines[:len(lines)-1]
	}
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, port, ok := strings.Cut(line, ":")
		if ok {
			if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
				return false
			}
			ports++
		}
		if !isHostName(name) || !ok && !strings.Contains(name, ".") {
			return false
		}
		hosts++
	}
	return ports > 0 || hosts > 1
}

func isHostName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	}) < 0
}

// ASN1 says what a sequence is, by the first elements in it, that is neither a
// certificate nor a key nor a container of them; nil if that is not known.
func ASN1(body []byte) error {
	first, inside, rest := ber.Cut(body)
	second, _, rest := ber.Cut(rest)
	switch {
	case first == 0x0a && (second == 0 || second == 0xa0):
		return errOCSP
	case first == 0x02 && second == 0x02 && len(rest) == 0 && len(inside) > 1: // of PKCS #1
		return ErrPublicKey
	case first != ber.Sequence:
		return nil
	}
	var tags [4]byte
	for i := range tags {
		tags[i], _, inside = ber.Cut(inside)
	}
	switch {
	case tags[0] == 0x06 && second == 0x03 && len(rest) == 0:
		return ErrPublicKey
	case tags == [4]byte{0x02, ber.Sequence, ber.Sequence, 0xa0}, tags == [4]byte{0x02, ber.Sequence, ber.Sequence, 0}:
		return ErrRequest
	case tags[0] == 0x02 && isChoice(tags[1]) && isChoice(tags[2]) && second&0xe0 == 0xa0:
		return errCMP
	case tags == [4]byte{0x02, ber.Sequence, 0xa0, ber.Sequence}:
		return errAttribute
	case tags[0] == ber.Sequence && tags[1] == ber.Sequence && isTime(tags[2]),
		tags[0] == 0x02 && tags[1] == ber.Sequence && tags[2] == ber.Sequence && isTime(tags[3]):
		return errCRL
	}
	return nil
}

// isChoice reports whether the tag is that of a GeneralName.
func isChoice(tag byte) bool { return tag&0xc0 == 0x80 }

func isTime(tag byte) bool { return tag == 0x17 || tag == 0x18 }

// Block says what a block of PEM is that holds no certificate.
func Block(kind string) error {
	switch {
	case strings.HasSuffix(kind, "PRIVATE KEY"):
		return ErrPrivateKey
	case strings.HasSuffix(kind, "CERTIFICATE REQUEST"):
		return ErrRequest
	case strings.HasPrefix(kind, "PGP "):
		return errPGP
	case strings.HasPrefix(kind, "SSH2 "):
		return errSSH
	case strings.HasSuffix(kind, "PUBLIC KEY"):
		return ErrPublicKey
	case strings.HasSuffix(kind, "PARAMETERS"):
		return errors.New("these are parameters of keys, not a certificate")
	}
	return errors.New("this is not a certificate")
}
