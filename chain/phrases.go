package chain

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

func begins(cert *x509.Certificate, at time.Time) string {
	return fmt.Sprintf("begins on %s, %s after %s", moment(cert.NotBefore, at), span(cert.NotBefore.Sub(at)), moment(at, cert.NotBefore))
}

func ended(cert *x509.Certificate, at time.Time) string {
	return fmt.Sprintf("ended on %s, %s before %s", moment(cert.NotAfter, at), span(at.Sub(cert.NotAfter)), moment(at, cert.NotAfter))
}

// moment is a day, or a time where the other is within two days.
func moment(t, other time.Time) string {
	if d := t.Sub(other).Abs(); d < 48*time.Hour {
		return t.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return t.UTC().Format(time.DateOnly)
}

func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return count(int(d/(24*time.Hour)), "day")
	case d >= 2*time.Hour:
		return count(int(d/time.Hour), "hour")
	case d >= 2*time.Minute:
		return count(int(d/time.Minute), "minute")
	}
	return count(int(d/time.Second), "second")
}

func areThere(n int) string {
	if n == 1 {
		return "is 1"
	}
	return "are " + strconv.Itoa(n)
}

func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// notFor says for which hosts a certificate is.
func notFor(cert *x509.Certificate, host string) string {
	names := slices.Clone(cert.DNSNames[:min(len(cert.DNSNames), listed)])
	for _, ip := range cert.IPAddresses[:min(len(cert.IPAddresses), listed)] {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "names no host (it has no subjectAltName for one), so it is not for " + safetext.Quote(host)
	}
	for i := range names {
		names[i] = safetext.Quote(names[i])
	}
	hosts := "host "
	if len(names) > 1 {
		hosts = "hosts "
	}
	return "is for the " + hosts + andList(shortList(names, len(cert.DNSNames)+len(cert.IPAddresses))) + ", not for " + safetext.Quote(host)
}

// listed is how many items of a list are shown.
const listed = 4

// shortList keeps the first of items, and says how many more there are: all of a
// list, or the first of it, but no fewer than listed.
func shortList(items []string, all int) []string {
	if all <= listed {
		return items
	}
	return append(slices.Clone(items[:listed-1]), fmt.Sprintf("%d more", all-listed+1))
}

func andList(items []string) string { return list(items, " and ") }

func orList(items []string) string { return list(items, " or ") }

func list(items []string, last string) string {
	if len(items) == 0 {
		return "nothing"
	}
	if len(items) == 1 {
		return items[0]
	}
	return strings.Join(items[:len(items)-1], ", ") + last + items[len(items)-1]
}

func usagesOfCert(cert *x509.Certificate) string {
	names := usageNames(cert.ExtKeyUsage[:min(len(cert.ExtKeyUsage), listed)])
	for _, id := range cert.UnknownExtKeyUsage[:min(len(cert.UnknownExtKeyUsage), listed)] {
		names = append(names, safetext.Printable(id.String(), safetext.Most))
	}
	if len(names) == 0 {
		return "anything"
	}
	return andList(shortList(names, len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage)))
}

func usageNames(usages []x509.ExtKeyUsage) []string {
	var names []string
	for _, u := range usages[:min(len(usages), 100)] {
		names = append(names, usageName(u))
	}
	return names
}

// usageName is the name of an extended key usage in RFC 5280 section 4.2.1.12,
// where it has one.
func usageName(u x509.ExtKeyUsage) string {
	switch u {
	case x509.ExtKeyUsageAny:
		return "any use"
	case x509.ExtKeyUsageServerAuth:
		return "serverAuth"
	case x509.ExtKeyUsageClientAuth:
		return "clientAuth"
	case x509.ExtKeyUsageCodeSigning:
		return "codeSigning"
	case x509.ExtKeyUsageEmailProtection:
		return "emailProtection"
	case x509.ExtKeyUsageTimeStamping:
		return "timeStamping"
	case x509.ExtKeyUsageOCSPSigning:
		return "OCSPSigning"
	}
	return "usage number " + strconv.Itoa(int(u))
}
