package pkioverheid

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// WatchDistrusted returns the entries of a text file, and follows it until ctx ends: a new
// entry counts within some 10 seconds, or sooner with [truststore.WithInterval]. A file with
// an error in it is not used: the entries from before stay. The options are those of
// [truststore.WatchFiles].
//
// The file has one entry a line, with its reason at the end; see "Details" in the package
// documentation. It must be there from the start and may not be empty.
//
//	certificate SHA256            REASON
//	key         SHA256            REASON
//	issuer NAME serial HEX        REASON
//	subject NAME                  REASON
func WatchDistrusted(ctx context.Context, path string, opts ...truststore.Option) (*Distrusted, error) {
	d := &Distrusted{follows: true}
	use := useDistrusted(d, path)
	opts = slices.Concat([]truststore.Option{truststore.WithLimit(maxDistrustedFile)}, opts)
	problem, err := watchFiles(ctx, "the distrusted certificates", use, []string{path}, opts)
	if err != nil {
		return nil, err
	}
	d.problem = problem
	return d, nil
}

// Limits of a file of distrusted certificates: the largest public list has some thousands.
const (
	maxDistrustedFile  = 16 << 20
	maxDistrustedLine  = 16 << 10
	maxDistrustedLines = 100_000
	maxSerialBytes     = 64 // RFC 5280 section 4.1.2.2 allows 20
)

func useDistrusted(d *Distrusted, path string) func([][]byte, time.Time) error {
	return func(contents [][]byte, _ time.Time) error {
		entries, err := parseDistrusted(contents[0])
		if err == nil {
			var set *distrustedSet
			if set, err = newDistrustedSet(entries); err == nil {
				d.current.Store(set)
				return nil
			}
		}
		return fmt.Errorf("pkioverheid: %s: %w", path, err)
	}
}

// parseDistrusted reads the text that WatchDistrusted documents.
func parseDistrusted(data []byte) ([]DistrustedEntry, error) {
	switch {
	case len(data) == 0:
		return nil, errors.New("the file is empty: was it cut off? One that distrusts nothing has a line that begins with #")
	case !utf8.Valid(data):
		return nil, errors.New("the file is not text in UTF-8")
	case bytes.Count(data, []byte("\n")) > maxDistrustedLines:
		return nil, fmt.Errorf("the file has more than %d lines", maxDistrustedLines)
	}
	var entries []DistrustedEntry
	number := 0
	for line := range strings.SplitSeq(strings.TrimPrefix(string(data), "\ufeff"), "\n") {
		number++
		if len(line) > maxDistrustedLine {
			return nil, fmt.Errorf("line %d has more than %d bytes", number, maxDistrustedLine)
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		e, err := parseDistrustedLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func parseDistrustedLine(line string) (e DistrustedEntry, err error) {
	kind, rest := cutWord(line)
	switch kind {
	case "certificate", "key":
		var word string
		var sum [sha256.Size]byte
		word, rest = cutWord(rest)
		if sum, err = parseSHA256(word); err != nil {
			return e, err
		}
		if kind == "key" {
			e.Key = sum
		} else {
			e.Certificate = truststore.Fingerprint(sum)
		}
	case "issuer":
		var label, word string
		if e.Issuer, rest, err = cutName(rest); err != nil {
			return e, err
		}
		label, rest = cutWord(rest)
		word, rest = cutWord(rest)
		if label != "serial" {
			return e, errors.New("after the name of an issuer comes the word serial, and then the number in hex")
		}
		if e.SerialNumber, err = parseSerial(word); err != nil {
			return e, err
		}
	case "subject":
		if e.Subject, rest, err = cutName(rest); err != nil {
			return e, err
		}
	default:
		return e, fmt.Errorf("%s is not certificate, key, issuer or subject", safetext.Quote(kind))
	}
	if e.Reason = rest; rest == "" {
		return e, errors.New("the reason is missing at its end")
	}
	return e, nil
}

// cutWord cuts at the first white space.
func cutWord(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}

func parseSHA256(word string) (sum [sha256.Size]byte, err error) {
	if der, err := base64.StdEncoding.Strict().DecodeString(word); err == nil && len(der) == len(sum) {
		return notZero([sha256.Size]byte(der))
	}
	f, err := truststore.ParseFingerprint(word)
	if err != nil {
		return sum, fmt.Errorf("%s is not a SHA-256: 64 digits in hex, or 32 bytes in base64", safetext.Quote(word))
	}
	return notZero(f)
}

func notZero(sum [sha256.Size]byte) ([sha256.Size]byte, error) {
	if sum == [sha256.Size]byte{} {
		return sum, errors.New("the SHA-256 is zero")
	}
	return sum, nil
}

func parseSerial(word string) (*big.Int, error) {
	digits := strings.ReplaceAll(word, ":", "")
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	der, err := hex.DecodeString(digits)
	if err != nil || len(der) == 0 || len(der) > maxSerialBytes {
		return nil, fmt.Errorf("%s is not a serial number in hex", safetext.Quote(word))
	}
	return new(big.Int).SetBytes(der), nil
}

// cutName reads a distinguished name: text in quotation marks, or DER in base64.
func cutName(s string) (name pkix.Name, rest string, err error) {
	if quoted, found := strings.CutPrefix(s, `"`); found {
		end := endOfQuoted(quoted)
		if end < 0 {
			return name, "", errors.New("the quotation mark at the end of a name is missing")
		}
		if after := quoted[end+1:]; after != "" && after[0] != ' ' && after[0] != '\t' {
			return name, "", errors.New(`a quotation mark within a name is written \"`)
		}
		if name.Names, err = parseDN(quoted[:end]); err != nil {
			return name, "", err
		}
		return name, strings.TrimLeft(quoted[end+1:], " \t"), nil
	}
	word, rest := cutWord(s)
	der, err := base64.StdEncoding.Strict().DecodeString(word)
	var rdns pkix.RDNSequence
	if err == nil {
		if more, e := asn1.Unmarshal(der, &rdns); e != nil || len(more) > 0 {
			err = errors.New("not a name")
		}
	}
	for _, rdn := range rdns {
		name.Names = append(name.Names, rdn...)
	}
	if err != nil || len(name.Names) == 0 {
		return pkix.Name{}, "", fmt.Errorf(`%s is not a name: write "CN=…,O=…" in quotation marks, or its DER in base64`, safetext.Quote(word))
	}
	return name, rest, nil
}

// endOfQuoted is the index of the closing quotation mark, -1 if there is none.
func endOfQuoted(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// attributeTypes are those of RFC 4514 section 3 and those that openssl and safetext.Name
// write besides, in lower case.
var attributeTypes = map[string]asn1.ObjectIdentifier{
	"cn": {2, 5, 4, 3}, "sn": {2, 5, 4, 4}, "serialnumber": {2, 5, 4, 5}, "c": {2, 5, 4, 6}, "l": {2, 5, 4, 7},
	"st": {2, 5, 4, 8}, "street": {2, 5, 4, 9}, "o": {2, 5, 4, 10}, "ou": {2, 5, 4, 11}, "title": {2, 5, 4, 12},
	"postalcode": {2, 5, 4, 17}, "givenname": {2, 5, 4, 42}, "gn": {2, 5, 4, 42}, "organizationidentifier": {2, 5, 4, 97},
	"dc": {0, 9, 2342, 19200300, 100, 1, 25}, "uid": {0, 9, 2342, 19200300, 100, 1, 1}, "emailaddress": {1, 2, 840, 113549, 1, 9, 1},
}

// parseDN reads the text of a distinguished name (RFC 4514). Their order does not matter
// here, so "+" is as good as ",".
func parseDN(s string) ([]pkix.AttributeTypeAndValue, error) {
	var all []pkix.AttributeTypeAndValue
	for rest, more := s, true; more; {
		key, after, found := strings.Cut(rest, "=")
		if !found {
			return nil, errors.New(`a name is made of TYPE=value, with commas between; a comma within a value is written \,`)
		}
		oid, err := parseAttributeType(strings.TrimSpace(key))
		if err != nil {
			return nil, err
		}
		var value any
		if value, rest, more, err = cutValue(strings.TrimLeft(after, " ")); err != nil {
			return nil, err
		}
		all = append(all, pkix.AttributeTypeAndValue{Type: oid, Value: value})
	}
	return all, nil
}

func parseAttributeType(key string) (asn1.ObjectIdentifier, error) {
	if oid := attributeTypes[strings.ToLower(key)]; oid != nil {
		return oid, nil
	}
	var oid asn1.ObjectIdentifier
	for arc := range strings.SplitSeq(key, ".") {
		n, err := strconv.ParseUint(arc, 10, 31)
		if err != nil || len(oid) > 20 {
			return nil, fmt.Errorf(`%s is not a type of attribute that is known here: write its number, such as 2.5.4.97, and a comma within a value as \,`, safetext.Quote(key))
		}
		oid = append(oid, int(n))
	}
	return oid, nil
}

// cutValue reads a value up to the next separator that is not escaped.
func cutValue(s string) (value any, rest string, more bool, err error) {
	var b strings.Builder
	i := 0
	for ; i < len(s) && s[i] != ',' && s[i] != '+' && s[i] != ';'; i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		switch pair, err := hex.DecodeString(s[min(i+1, len(s)):min(i+3, len(s))]); {
		case err == nil && len(pair) == 1:
			b.WriteByte(pair[0])
			i += 2
		case i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			return nil, "", false, errors.New("a name ends with a backslash")
		}
	}
	text := strings.TrimSpace(b.String())
	if more = i < len(s); more {
		rest = s[i+1:]
	}
	switch {
	case text == "":
		return nil, "", false, errors.New("an attribute of a name is empty")
	case len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"': // openssl puts them around O = "A, B"
		return nil, "", false, errors.New(`a value is written without quotation marks around it, and a comma in it as \,`)
	case strings.HasSuffix(text, "…"):
		return nil, "", false, errors.New("a name was cut off (…): write all of it, or its DER in base64")
	case s[0] == '#':
		der, err := hex.DecodeString(text[1:])
		if err == nil {
			var left []byte
			if left, err = asn1.Unmarshal(der, &value); len(left) > 0 || value == nil {
				err = errors.New("not a value")
			}
		}
		if err != nil {
			return nil, "", false, errors.New("what follows # in a name is not DER in hex")
		}
		return value, rest, more, nil
	case !utf8.ValidString(text):
		return nil, "", false, errors.New("a name is not UTF-8")
	}
	return text, rest, more, nil
}
