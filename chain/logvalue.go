package chain

import (
	"log/slog"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// LogValue returns the reason, the certificate, the problem and the advice.
func (e *Error) LogValue() slog.Value {
	name := ""
	if e.Cert != nil {
		name = safetext.Certificate(e.Cert)
	}
	problem := e.Problem
	if problem == "" {
		problem = e.Error()
	}
	return safetext.Group(slog.String("reason", string(e.Reason)), slog.String("certificate", name),
		slog.Time("at", e.At), slog.String("problem", problem), slog.String("advice", e.Advice))
}

// LogValue returns the verdict with its reason, the problem and the advice, and the subject
// of the certificate that was explained.
func (x Explanation) LogValue() slog.Value {
	verdict, subject := "refused", ""
	if x.OK {
		verdict = "ok"
	}
	if len(x.Path) > 0 {
		subject = x.Path[0].Subject
	}
	return safetext.Group(slog.String("verdict", verdict), slog.String("reason", string(x.Reason)), slog.String("subject", subject),
		slog.String("host", x.Host), slog.Time("at", x.Time), slog.String("problem", x.Problem), slog.String("advice", x.Advice))
}
