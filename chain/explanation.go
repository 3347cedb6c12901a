package chain

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-pkioverheid/trust/truststore"
)

// Explanation is what [Verifier.Explain] found. Names and hosts in it are escaped and
// shortened for terminals and logs, not for HTML. It can be marshalled as JSON.
type Explanation struct {
	// OK is the verdict of [Verifier.Verify].
	OK bool `json:"ok"`

	// Reason, Problem and Advice are what broke it first: in a word, in a sentence,
	// and what to do about it. If OK, Reason is zero, Problem is empty, and
	// Advice says what another peer would need, if anything.
	Reason  Reason `json:"reason,omitempty"`
	Problem string `json:"problem,omitempty"`
	Advice  string `json:"advice,omitempty"`

	Time time.Time `json:"time"`           // at which it was verified, in UTC
	Host string    `json:"host,omitempty"` // that the certificate must be for

	// Path is the path as far as it goes, the end-entity certificate first. It
	// ends at a trusted root or where nothing leads further.
	Path []ExplainedCertificate `json:"path"`

	// Unused are the certificates that were given and are not in Path.
	Unused []ExplainedCertificate `json:"unused,omitempty"`

	// Err is Verify's error, nil if OK.
	Err error `json:"-"`
}

// ExplainedCertificate is one certificate of an [Explanation].
type ExplainedCertificate struct {
	Subject     string                 `json:"subject"`
	Issuer      string                 `json:"issuer"`
	Serial      string                 `json:"serial"` // hexadecimal
	NotBefore   time.Time              `json:"notBefore"`
	NotAfter    time.Time              `json:"notAfter"`
	Key         string                 `json:"key"`         // such as "RSA 4096" and "ECDSA P-256"
	Signature   string                 `json:"signature"`   // such as "RSASSA-PSS with SHA-512"
	Fingerprint truststore.Fingerprint `json:"fingerprint"` // SHA-256
	CA          bool                   `json:"ca"`

	Source Source `json:"source"` // where it comes from

	// Observations are in the order of a reader. None if unused.
	Observations []Observation `json:"observations,omitempty"`

	Certificate *x509.Certificate `json:"-"`
}

// Source is where a certificate of an [Explanation] comes from.
type Source string

const (
	SourceRoot         Source = "root"         // a root of the verifier
	SourceIntermediate Source = "intermediate" // an intermediate of the verifier that was not given
	SourceGiven        Source = "given"
	SourceDistrusted   Source = "distrusted" // one of [WithDistrusted]
)

// Observation is one thing that was looked at in an [ExplainedCertificate].
type Observation struct {
	Name   ObservationName   `json:"name"`
	Result ObservationResult `json:"result"`
	Text   string            `json:"text"` // why, in words
}

// ObservationName is what was looked at.
type ObservationName string

const (
	ObservedValidity         ObservationName = "validity"
	ObservedSignature        ObservationName = "signature"
	ObservedTrust            ObservationName = "trust"
	ObservedCA               ObservationName = "ca"
	ObservedPathLength       ObservationName = "path length"
	ObservedKeyUsage         ObservationName = "key usage"
	ObservedExtendedKeyUsage ObservationName = "extended key usage"
	ObservedExtensions       ObservationName = "extensions"
	ObservedLimits           ObservationName = "limits"
	ObservedHost             ObservationName = "host"
	ObservedNames            ObservationName = "names"
	ObservedPolicy           ObservationName = "policy"
	ObservedRevocation       ObservationName = "revocation"
)

// ObservationResult is what an [Observation] found.
type ObservationResult string

const (
	Pass    ObservationResult = "pass"
	Fail    ObservationResult = "fail"
	Unknown ObservationResult = "unknown"
)

const (
	// textWidth is that of a terminal.
	textWidth = 80
	// textUnused is how many certificates that are not in the path are listed by name.
	textUnused = 10
	// textIndented is how many certificates are indented further and further.
	textIndented = 12
)

// String returns the verdict, what to do, and the path as a tree with its root at the
// top, in plain text of lines of at most 80 columns.
func (e *Explanation) String() string {
	var t textWriter
	verdict := "ACCEPTED"
	if !e.OK {
		verdict = "REFUSED: " + string(e.Reason)
		if e.Reason == RefusedByPolicy {
			verdict = "REFUSED: by policy"
		}
	}
	t.write("", "", verdict)
	asked := "at " + e.Time.Format("2006-01-02 15:04:05 UTC")
	if e.Host != "" {
		asked += `, for host "` + e.Host + `"`
	}
	t.write("Checked: ", "         ", asked)
	if e.Problem != "" {
		t.write("Problem: ", "         ", e.Problem)
	}
	if e.Advice != "" {
		t.write("Advice:  ", "         ", e.Advice)
	}
	if len(e.Path) > 0 {
		t.write("", "", "")
	}
	depth := 0
	for i := len(e.Path) - 1; i >= 0; i-- {
		cert := &e.Path[i]
		if depth == 0 && cert.Source != SourceRoot && !cert.selfIssued() {
			t.write("", "  ", `"`+cert.Issuer+`" (named as the issuer)`)
			depth++
		}
		t.certificate(cert, min(depth, textIndented), i > 0)
		depth++
	}
	if len(e.Unused) > 0 {
		t.write("", "", "")
		t.write("", "", fmt.Sprintf("Given, and not part of the path: %s", count(len(e.Unused), "certificate")))
		for i, cert := range e.Unused {
			if i == textUnused && len(e.Unused) > textUnused+1 {
				t.write("- ", "  ", fmt.Sprintf("%d more", len(e.Unused)-i))
				break
			}
			kind := "not a CA"
			if cert.CA {
				kind = "a CA"
			}
			t.write("- ", "  ", fmt.Sprintf(`"%s", %s, serial %s, valid %s`, cert.Subject, kind, cert.Serial, cert.validity()))
		}
	}
	return t.String()
}

// selfIssued compares whole names; those of an Explanation that was JSON may be cut.
func (c *ExplainedCertificate) selfIssued() bool {
	if c.Certificate == nil {
		return c.Issuer == c.Subject
	}
	return selfIssued(c.Certificate)
}

func (c *ExplainedCertificate) validity() string {
	return c.NotBefore.Format("2006-01-02") + " to " + c.NotAfter.Format("2006-01-02")
}

// textWriter gathers what is written for a person.
type textWriter struct{ strings.Builder }

// certificate writes one certificate of the tree.
func (t *textWriter) certificate(c *ExplainedCertificate, depth int, more bool) {
	source := map[Source]string{SourceRoot: "trusted root", SourceIntermediate: "known here", SourceGiven: "given", SourceDistrusted: "distrusted here"}[c.Source]
	branch, below := "", ""
	if depth > 0 {
		branch = strings.Repeat("  ", depth-1) + "└─"
		below = strings.Repeat("  ", depth)
	}
	if more {
		below += "│ "
	} else {
		below += "  "
	}
	field := func(name, value string) {
		t.write(below+fmt.Sprintf("%-8s", name), below+strings.Repeat(" ", 8), value)
	}
	t.write(branch, below, `"`+c.Subject+`" (`+source+`)`)
	field("valid", c.validity())
	field("key", c.Key+"; signed with "+c.Signature)
	field("serial", c.Serial)
	field("SHA-256", c.Fingerprint.String())
	var fine []string
	for _, o := range c.Observations {
		switch o.Result {
		case Fail:
			field("✗ WRONG", o.Text)
		case Unknown:
			field("? open", o.Text)
		default:
			fine = append(fine, o.Text)
		}
	}
	if len(fine) > 0 {
		field("✓ fine", strings.Join(fine, "; "))
	}
}

// write writes words in lines of the width: the first begins with first, each
// other with next. A word that is too long for a line is broken.
func (t *textWriter) write(first, next, words string) {
	line := first
	empty := true
	width := utf8.RuneCountInString(first)
	flush := func() {
		t.WriteString(strings.TrimRight(line, " "))
		t.WriteByte('\n')
		line, width, empty = next, utf8.RuneCountInString(next), true
	}
	for _, word := range strings.Split(words, " ") {
		n := utf8.RuneCountInString(word)
		if !empty && width+1+n > textWidth {
			flush()
		}
		for empty && width+n > textWidth && n > 1 {
			room := max(textWidth-width, 1)
			part := string([]rune(word)[:room])
			word = word[len(part):]
			n -= room
			line += part
			flush()
		}
		if !empty {
			line += " "
			width++
		}
		line, width, empty = line+word, width+n, false
	}
	flush()
}
