package pkioverheid

import (
	"crypto/x509"
	"log/slog"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// LogValue returns who it is, by what was verified, and its certificate's subject, serial
// number and end.
func (id Identity) LogValue() slog.Value {
	cert := id.Certificate()
	if cert == nil {
		return slog.StringValue("nobody")
	}
	return safetext.Group(append([]slog.Attr{slog.String("oin", string(id.oin)), slog.String("kind", string(id.kind)),
		slog.String("hierarchy", id.hierarchy.String()), slog.String("tsp", string(id.tsp))}, logCertificate(cert)...)...)
}

// LogValue returns what the certificate says, and its subject, serial number and end.
func (c Claim) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("hierarchy", c.Hierarchy.String()), slog.String("role", c.Role), slog.String("kind", string(c.Kind)),
		slog.String("tsp", string(c.TSP)), slog.String("oin", string(c.OIN)), slog.Bool("fixture", c.Fixture), slog.String("testMark", c.TestMark)}
	return safetext.Group(append(attrs, logCertificate(c.Certificate)...)...)
}

// LogValue returns what is wrong and what to do.
func (e *G3Error) LogValue() slog.Value {
	return safetext.Group(slog.String("problem", e.Problem), slog.String("advice", e.Advice), slog.String("tsp", string(e.TSP)))
}

// LogValue returns the host, the reason, what is wrong and what to do.
func (e *ServerCertificateError) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("host", e.Host), slog.String("reason", string(e.Reason)), slog.String("problem", e.Problem), slog.String("advice", e.Advice)}
	return safetext.Group(append(attrs, logCertificate(e.Path.Leaf())...)...)
}

// LogValue returns the host, what is wrong and what to do, and our certificate's subject,
// serial number and end.
func (e *ClientCertificateError) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("host", e.Host), slog.Bool("sent", e.Sent), slog.Bool("guess", e.Guess), slog.String("problem", e.Problem), slog.String("advice", e.Advice)}
	return safetext.Group(append(attrs, logCertificate(e.Certificate)...)...)
}

// LogValue returns the reason, what is wrong and what to do.
func (e *AccessError) LogValue() slog.Value {
	return safetext.Group(slog.String("reason", string(e.Reason)), slog.String("cause", string(e.Cause)), slog.String("problem", e.Problem), slog.String("advice", e.Advice))
}

// LogValue returns the fields that are set, and of the certificate its subject, serial
// number and end.
func (e Event) LogValue() slog.Value {
	err := ""
	if e.Err != nil {
		err = e.Err.Error()
	}
	attrs := []slog.Attr{slog.Bool("server", e.Server), slog.String("peer", e.Peer), slog.String("hierarchy", e.Hierarchy.String()), slog.String("oin", string(e.OIN)),
		slog.Bool("resumed", e.Resumed), slog.String("reason", string(e.Reason)), slog.String("cause", string(e.Cause)), slog.String("error", err),
		slog.String("problem", string(e.Problem)), slog.Time("deadline", e.Deadline), slog.String("text", e.Text)}
	return safetext.Group(append(attrs, logCertificate(e.Certificate)...)...)
}

// LogValue returns the deadline and the fault, and of the certificate its subject, serial
// number and end.
func (s KeyPairStatus) LogValue() slog.Value {
	err := ""
	if s.Err != nil {
		err = s.Err.Error()
	}
	attrs := []slog.Attr{slog.String("hierarchy", s.Hierarchy.String()), slog.Time("deadline", s.Deadline), slog.String("error", err)}
	return safetext.Group(append(attrs, logCertificate(s.Certificate)...)...)
}

func logCertificate(cert *x509.Certificate) []slog.Attr {
	if cert == nil {
		return nil
	}
	return []slog.Attr{slog.String("subject", safetext.Name(cert.Subject, safetext.MostDN)), slog.String("serial", serialOf(cert)), slog.Time("notAfter", cert.NotAfter)}
}
