package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/go-pkioverheid/trust/truststore"
)

// reportMark is in every report, see report.html.
const reportMark = `<meta name="generator" content="pkio `

// partialMark is in a report of an audit that was stopped.
const partialMark = `<meta name="pkio-run" content="partial">`

// markPartial puts the mark into a page.
func markPartial(page []byte) []byte {
	return bytes.Replace(page, []byte(reportMark), []byte(partialMark+reportMark), 1)
}

// isPartial reports whether a page or a run is of an audit that was stopped.
func isPartial(data []byte) bool {
	head, _, _ := bytes.Cut(data, []byte("\n")) // of a run, which is JSON: a target's name has no quotation marks there
	return bytes.Contains(data[:min(len(data), 4<<10)], []byte(partialMark)) ||
		kindOf(data) == aRun && bytes.Contains(head, []byte(`,"partial":true`))
}

// reportKind is a kind of report. One is not written over another, which may be of another
// machine.
type reportKind string

const (
	aPage    reportKind = "report"
	aRun     reportKind = "run"
	aMetrics reportKind = "file of metrics"
)

// kindOf is what data is of what pkio reports, empty for something else.
func kindOf(data []byte) reportKind {
	switch {
	case bytes.Contains(data[:min(len(data), 4<<10)], []byte(reportMark)):
		return aPage
	case bytes.HasPrefix(data, []byte(`{"version":`)) && bytes.Contains(data[:min(len(data), 64)], []byte(`,"run":{"machine":`)):
		return aRun
	case bytes.HasPrefix(data, []byte("# HELP pkio_")):
		return aMetrics
	}
	return ""
}

// holdsKey reports whether a private key is in data, in the clear or encrypted, and
// whether data is a key store in which one cannot be looked for.
func holdsKey(data []byte, passwords []string) (key, locked bool) {
	if mentionsKey(data) {
		return true, false
	}
	for _, password := range append([]string{""}, passwords...) {
		locked = false
		for e := range truststore.Entries(data, truststore.WithPassword(password)) {
			if e.Kind == truststore.PrivateKey {
				return true, false
			}
			locked = locked || errors.Is(e.Err, truststore.ErrPassword)
		}
		if !locked {
			_, err := truststore.Detect(data)
			return false, errors.Is(err, truststore.ErrPrivateKey)
		}
	}
	return false, true
}

// keyMentions are in texts with a private key: PEM, that in base64, age's and PuTTY's.
var keyMentions = func() [][]byte {
	const pem = "PRIVATE KEY-----"
	all := [][]byte{[]byte(pem), []byte("PRIVATE KEY BLOCK-----"), []byte("AGE-SECRET-KEY-"), []byte("PuTTY-User-Key-File-")}
	for before := range 3 { // as far as it does not depend on what is around it
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + pem))
		all = append(all, []byte(text[[]int{0, 2, 3}[before]:len(text)-4]))
	}
	return all
}()

var privateJWK = regexp.MustCompile(`"d"\s*:\s*"`)

func mentionsKey(data []byte) bool {
	texts := [][]byte{data}
	if bytes.IndexByte(data[:min(len(data), 64)], 0) >= 0 { // UTF-16, perhaps
		texts = append(texts, bytes.ReplaceAll(data, []byte{0}, nil))
	}
	for _, text := range texts {
		if slices.ContainsFunc(keyMentions, func(m []byte) bool { return bytes.Contains(text, m) }) ||
			bytes.Contains(text, []byte(`"kty"`)) && privateJWK.Match(text) {
			return true
		}
	}
	return false
}

// ownStore returns the certificates of a trust store that pkio wrote, known by its
// comments, its names or its form; nil for others. DER and PKCS#7 have nothing to
// know them by.
func ownStore(data []byte, passwords []string) *truststore.Store {
	if certs := ownTrustPackage(data); certs != nil {
		return certs
	}
	if certs := ownConfigMap(data); certs != nil {
		return certs
	}
	switch format, _ := truststore.Detect(data); format {
	case truststore.PEM:
		return ownPEM(data)
	case truststore.PKCS12, truststore.JKS:
		for _, password := range passwords {
			certs, err := truststore.Decode(data, truststore.WithPassword(password))
			if err != nil {
				continue
			}
			again, err := certs.Encode(format, truststore.WithPassword(password))
			if err == nil && slices.Equal(namesIn(data, password), namesIn(again, password)) {
				return certs
			}
		}
	}
	return nil
}

// subjects are the part of a comment that can be written in other ways.
var subjects = regexp.MustCompile(`(?m)^# .* \| expires `)

func ownPEM(data []byte) *truststore.Store {
	certs, err := truststore.Decode(data)
	if err != nil {
		return nil
	}
	again, err := certs.Encode(truststore.PEM)
	if err != nil || !bytes.Equal(subjects.ReplaceAll(data, nil), subjects.ReplaceAll(again, nil)) {
		return nil
	}
	return certs
}

func ownTrustPackage(data []byte) *truststore.Store {
	var p struct{ Name, Version, Bundle string }
	if data[0] != '{' || json.Unmarshal(data, &p) != nil || p.Bundle == "" {
		return nil
	}
	certs, err := truststore.Decode([]byte(p.Bundle))
	if err != nil {
		return nil
	}
	if again, err := certs.EncodeTrustPackage(p.Name, p.Version); err != nil || !bytes.Equal(data, again) {
		return nil
	}
	return certs
}

func ownConfigMap(data []byte) *truststore.Store {
	head, text, found := strings.Cut(string(data), configMapKey)
	if !found || !strings.Contains(head, configMapMark) {
		return nil
	}
	return ownPEM([]byte(strings.ReplaceAll("\n"+text, "\n    ", "\n")[1:]))
}

// namesIn lists the entries of a key store: what they are called, and what they are.
func namesIn(data []byte, password string) (names []string) {
	for e := range truststore.Entries(data, truststore.WithPassword(password)) {
		names = append(names, e.Alias+"\x00"+string(rune(e.Kind))+string(e.DER))
	}
	slices.Sort(names)
	return names
}
