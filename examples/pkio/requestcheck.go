package main

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// checkDelivered holds a certificate against the request in a file, and prints what is as
// requested and what is not.
func (f *requestFlags) checkDelivered(cmd *cobra.Command, path string) error {
	v, err := f.roots.verifier(nil, nil)
	if err != nil {
		return err
	}
	request, err := readRequest(path)
	if err != nil {
		return err
	}
	cert, err := f.oneCertificate(cmd, f.check)
	if err != nil {
		return fmt.Errorf("--check: %w", err)
	}
	d := delivery{request: request, cert: cert, verifier: v, at: f.at.orNow()}
	if found, err := look(cmd.Context(), cmd, inventory.Config{Time: d.at}, &f.passwords, f.check); err == nil {
		for _, r := range found {
			d.extra = append(d.extra, r.Certificate)
		}
	}
	out := cmd.OutOrStdout()
	p := painter(out)
	wrong := 0
	for _, finding := range d.findings() {
		mark := "  right  "
		if finding.wrong {
			mark, wrong = p.red("  wrong  "), wrong+1
		}
		fmt.Fprint(out, wrapped(mark, "         ", finding.text))
	}
	if wrong > 0 {
		fmt.Fprintf(out, "%s is not as requested: ask your TSP about it before you use it.\n", safetext.Certificate(cert))
		return statusOf(statusFinding)
	}
	fmt.Fprintf(out, "%s is as requested.\n", safetext.Certificate(cert))
	return nil
}

// maxRequest bounds a request; with a hundred names one has some six kilobytes.
const maxRequest = 1 << 20

func readRequest(path string) (*x509.CertificateRequest, error) {
	data, err := readFile(path, maxRequest)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	request, err := x509.ParseCertificateRequest(data)
	if err == nil {
		err = request.CheckSignature()
	}
	if err != nil {
		return nil, fmt.Errorf("%q is not a certificate request that can be checked: %w", path, safetext.Error(err))
	}
	return request, nil
}

// delivery is what was asked for and what came.
type delivery struct {
	request  *x509.CertificateRequest
	cert     *x509.Certificate
	extra    []*x509.Certificate
	verifier *chain.Verifier
	at       time.Time
}

// deliveryFinding is one thing that was looked at.
type deliveryFinding struct {
	wrong bool
	text  string
}

func (d *delivery) findings() (all []deliveryFinding) {
	add := func(right bool, ifRight, ifWrong string) {
		text := ifRight
		if !right {
			text = ifWrong
		}
		all = append(all, deliveryFinding{!right, text})
	}
	claim, known := pkioverheid.ClaimOf(d.cert)
	add(samePublicKey(d.cert.PublicKey, d.request.PublicKey), "the public key is that of the request", "the public key is another than that of the request: the private key does not belong to it")
	for _, attribute := range []struct {
		name     string
		oid      asn1.ObjectIdentifier
		optional bool // a TSP may choose it
	}{
		{"organisation", asn1.ObjectIdentifier{2, 5, 4, 10}, false},
		{"OIN (subject:serialNumber)", asn1.ObjectIdentifier{2, 5, 4, 5}, false},
		{"organizationIdentifier", asn1.ObjectIdentifier{2, 5, 4, 97}, false},
		{"common name", asn1.ObjectIdentifier{2, 5, 4, 3}, true},
	} {
		wanted, got := valuesOf(d.request.Subject, attribute.oid), valuesOf(d.cert.Subject, attribute.oid)
		if wanted == "" || attribute.optional && wanted != got {
			continue
		}
		add(wanted == got, fmt.Sprintf("the %s is %s", attribute.name, safetext.Quote(got)), fmt.Sprintf("the %s is %s, and %s was requested", attribute.name, safetext.Quote(got), safetext.Quote(wanted)))
	}
	missing := missingNames(d.request.DNSNames, d.cert.DNSNames)
	more := missingNames(d.cert.DNSNames, d.request.DNSNames)
	add(missing == "", fmt.Sprintf("it has %s of the request", count(len(d.request.DNSNames), "DNS name")), "it lacks the DNS names "+missing)
	if more != "" {
		add(false, "", "it has DNS names that were not requested: "+more)
	}
	add(known && claim.Role == pkioverheid.EndEntity && claim.Kind == pkioverheid.System, fmt.Sprintf("it is a system's, under %s", claim.Hierarchy), "it is not a certificate for TLS of a hierarchy that is known here")
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(d.request.DNSNames) > 0 {
		usages = append(usages, x509.ExtKeyUsageServerAuth)
	}
	for _, use := range usages {
		name := map[x509.ExtKeyUsage]string{x509.ExtKeyUsageClientAuth: "clientAuth", x509.ExtKeyUsageServerAuth: "serverAuth"}[use]
		add(slices.Contains(d.cert.ExtKeyUsage, use), "it is for "+name, "it is not for "+name)
	}
	add(!d.at.Before(d.cert.NotBefore) && !d.at.After(d.cert.NotAfter), "it is valid until "+d.cert.NotAfter.UTC().Format(time.DateOnly),
		fmt.Sprintf("it is valid from %s to %s", d.cert.NotBefore.UTC().Format(time.DateOnly), d.cert.NotAfter.UTC().Format(time.DateOnly)))
	_, err := d.verifier.Verify(d.cert, chain.VerifyOptions{Time: d.at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, Extra: d.extra})
	text := "its chain leads to a root of PKIoverheid"
	if err != nil {
		text = "its chain does not pass: " + told(err)
	}
	add(err == nil, text, text)
	return all
}

func samePublicKey(a, b any) bool {
	switch a := a.(type) {
	case *rsa.PublicKey:
		return a.Equal(b)
	case *ecdsa.PublicKey:
		return a.Equal(b)
	}
	return false
}

// valuesOf returns what a name has of an attribute.
func valuesOf(name pkix.Name, oid asn1.ObjectIdentifier) string {
	var values []string
	for _, attribute := range name.Names {
		if text, ok := attribute.Value.(string); ok && attribute.Type.Equal(oid) {
			values = append(values, text)
		}
	}
	return strings.Join(values, ", ")
}

// missingNames lists the names that are not among others.
func missingNames(names, others []string) string {
	var missing []string
	for _, name := range names {
		if !slices.ContainsFunc(others, func(o string) bool { return strings.EqualFold(o, name) }) {
			missing = append(missing, safetext.Quote(name))
		}
	}
	const most = 10
	if len(missing) > most {
		return strings.Join(missing[:most], ", ") + fmt.Sprintf(" and %d more", len(missing)-most)
	}
	return strings.Join(missing, ", ")
}
