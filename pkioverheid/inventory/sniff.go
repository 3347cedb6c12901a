package inventory

import (
	"bytes"
	"slices"
	"strconv"
)

// contentKind is what the beginning of a file says about the rest.
type contentKind uint8

const (
	nothing      contentKind = iota // no certificate can be in it
	container                       // DER, PKCS#7, PKCS#12, JKS, JCEKS: package truststore recognises them
	windowsStore                    // .sst
	text                            // with PEM, base64 or XML perhaps
	bareBase64                      // of DER perhaps
	utf16Text                       // text that is decoded first
	mail                            // text in parts: MIME
	zipped                          // also jar, war, ear
	gzipped
	tarred
	unread // an archive, an image or a database of a kind that is not read
)

// opens reports whether there are files in it.
func (k contentKind) opens() bool { return k == zipped || k == gzipped || k == tarred }

// headSize is how much of a file look needs.
const headSize = 4 << 10

// look finds by the beginning of a file what can be in it. It errs on the side of
// reading on.
func look(head []byte) contentKind {
	whole := len(head) < headSize
	head = head[:min(len(head), headSize)]
	if kind := lookBinary(head); kind != nothing {
		return kind
	}
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	plain := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(plain) == 0 && whole:
		return nothing
	case isContainer(head):
		return container
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")),
		bytes.HasPrefix(head, []byte("<\x00")), bytes.HasPrefix(head, []byte("\x00<")),
		bytes.HasPrefix(head, []byte("-\x00-\x00")), bytes.HasPrefix(head, []byte("\x00-\x00-")):
		return utf16Text
	case boundaryOf(head) != nil: // its parts may be binary
		return mail
	case bytes.IndexByte(head, 0) >= 0 && !isTextBeforeZeros(head, whole):
		return nothing
	case bytes.HasPrefix(plain, []byte("MI")) && isBase64(plain):
		return bareBase64
	}
	return text
}

// isTextBeforeZeros reports whether a small text is filled up with zero bytes, or PEM is before
// the first one.
func isTextBeforeZeros(head []byte, whole bool) bool {
	plain, rest, _ := bytes.Cut(head, []byte{0})
	return bytes.Contains(plain, pemBegin) || whole && len(plain) > 0 && len(bytes.Trim(rest, "\x00")) == 0
}

// isContainer reports whether it is for package truststore to say what binary data is:
// ASN.1 or a key store of Java. Text can begin with a zero, which is the tag of a sequence,
// too; no container is shorter than 128 bytes.
//
// It is a filter before truststore.Detect, which has the table of formats. Detect alone
// takes 40 % more time for a folder of programs, and does not say that a file is one that
// was cut off or is encrypted. A test holds the filter against Detect.
func isContainer(head []byte) bool {
	return len(head) > 1 && head[0] == 0x30 && head[1] >= 0x80 && head[1] <= 0x84 || isJavaStore(head)
}

func isJavaStore(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xfe\xed\xfe\xed")) || bytes.HasPrefix(data, []byte("\xce\xce\xce\xce"))
}

type magicNumber struct {
	begin string
	kind  contentKind
	what  string
}

// magic is how files begin that are opened up, and those of kinds that are not read.
var magic = []magicNumber{
	{"PK\x03\x04", zipped, ""},
	{"PK\x05\x06", zipped, ""},
	{"JM\x01\x00PK\x03\x04", zipped, ""}, // a module of Java
	{"\x1f\x8b\x08", gzipped, ""},
	{"\x00\x00\x00\x00CERT", windowsStore, ""},
	{"7z\xbc\xaf\x27\x1c", unread, "a 7z archive"},
	{"Rar!\x1a\x07", unread, "a rar archive"},
	{"BZh", unread, "a file compressed with bzip2"},
	{"\xfd7zXZ\x00", unread, "a file compressed with xz"},
	{"\x28\xb5\x2f\xfd", unread, "a file compressed with zstd"},
	{"\x04\x22\x4d\x18", unread, "a file compressed with lz4"},
	{"MSCF\x00\x00\x00\x00", unread, "a cabinet of Windows"},
	{"!<arch>\ndebian-binary", unread, "a package of Debian"},
	{"\xed\xab\xee\xdb", unread, "a package of RPM"},
	{"07070", unread, "a cpio archive"},
	{"hsqs", unread, "an image of a file system"},
	{"QFI\xfb", unread, "an image of a disk"},
	{"KDMV", unread, "an image of a disk"},
	{"vhdxfile", unread, "an image of a disk"},
	{"SQLite format 3\x00", unread, "an SQLite database"},
	{"\x00\x06\x15\x61", unread, "a key store of NSS"},
	{"\x00\x00\x00\x01\x00\x00\x00\x14", unread, "a BKS key store of Bouncy Castle"},
	{"\x00\x00\x00\x02\x00\x00\x00\x14", unread, "a BKS key store of Bouncy Castle"},
	{"PACK\x00\x00\x00", unread, "a pack of git"},
}

// beginsMagic says which bytes a file of magic begins with.
var beginsMagic = func() (begins [256]bool) {
	for _, m := range magic {
		begins[m.begin[0]] = true
	}
	return begins
}()

// lookBinary recognises what is in magic, and tar.
func lookBinary(head []byte) contentKind {
	const ustar = 257
	if len(head) > ustar && bytes.HasPrefix(head[ustar:], []byte("ustar")) || isOldTar(head) {
		return tarred
	}
	if len(head) == 0 || !beginsMagic[head[0]] {
		return nothing
	}
	for _, m := range magic {
		if len(head) >= len(m.begin) && string(head[:len(m.begin)]) == m.begin {
			return m.kind
		}
	}
	return nothing
}

// isOldTar recognises tar of before POSIX, which has no mark, by the sum of its header.
func isOldTar(head []byte) bool {
	const size, sum, kind = 512, 148, 156
	if len(head) < size || head[0] == 0 || head[kind] != 0 && (head[kind] < '0' || head[kind] > '9') {
		return false
	}
	want, err := strconv.ParseUint(string(bytes.Trim(head[sum:kind], " \x00")), 8, 32)
	if err != nil {
		return false
	}
	found := uint64(8 * ' ') // in the place of the sum
	for i, b := range head[:size] {
		if i < sum || i >= kind {
			found += uint64(b)
		}
	}
	return found == want
}

// whatIsUnread names what is not read.
func whatIsUnread(head []byte) string {
	i := slices.IndexFunc(magic, func(m magicNumber) bool { return bytes.HasPrefix(head, []byte(m.begin)) })
	if i < 0 {
		return "a file"
	}
	return magic[i].what
}

// isCertificateStart reports whether DER begins as a certificate of version 2 or 3
// does, and nothing else that is known. Then it is a trouble if it is none.
func isCertificateStart(der []byte) bool {
	return bytes.HasPrefix(bodyOf(bodyOf(der)), []byte{0xa0, 0x03, 0x02, 0x01})
}

// bodyOf returns what of a sequence of 128 bytes or more follows its header; nil of
// anything else.
func bodyOf(der []byte) []byte {
	if len(der) < 2 || der[0] != 0x30 || der[1] < 0x81 || der[1] > 0x84 || len(der) < 2+int(der[1]&0x7f) {
		return nil
	}
	return der[2+int(der[1]&0x7f):]
}

// isPKIPath reports whether DER begins as a sequence of certificates does.
func isPKIPath(der []byte) bool {
	inner := bodyOf(bodyOf(bodyOf(der)))
	return bytes.HasPrefix(inner, []byte{0xa0, 0x03, 0x02, 0x01})
}

var (
	cmsPKCS7 = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07}
	cmsSMIME = []byte{0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01}
)

// isOtherCMS reports whether DER or BER begins as a message of CMS does that is not
// signed: it may be encrypted, and certificates in it are not of those who sent it.
func isOtherCMS(der []byte) bool {
	body := contentOfDER(der)
	return bytes.HasPrefix(body, cmsSMIME) || bytes.HasPrefix(body, cmsPKCS7) && len(body) > len(cmsPKCS7) && body[len(cmsPKCS7)] != 2
}

// isContainerStart reports whether DER or BER begins as PKCS#7 or PKCS#12 does.
func isContainerStart(der []byte) bool {
	body := contentOfDER(der)
	return bytes.HasPrefix(body, append(cmsPKCS7[:len(cmsPKCS7):len(cmsPKCS7)], 2)) || bytes.HasPrefix(body, []byte{0x02, 0x01, 0x03, 0x30})
}

// contentOfDER is bodyOf, also of a sequence of indefinite length.
func contentOfDER(der []byte) []byte {
	if len(der) > 2 && der[0] == 0x30 && der[1] == 0x80 {
		return der[2:]
	}
	return bodyOf(der)
}
