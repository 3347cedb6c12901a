package pkioverheid

import (
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/go-pkioverheid/trust/chain"
)

// What crypto/tls, crypto/x509 and net/http say in words only is read in this file.

// alert is a TLS alert by its number (RFC 8446 section 6); 0, which is close_notify, is
// none.
type alert uint8

const (
	noAlert             alert = 0
	handshakeFailure    alert = 40
	badCertificate      alert = 42
	unsupportedCert     alert = 43
	revokedCertificate  alert = 44
	expiredCertificate  alert = 45
	unknownCertificate  alert = 46
	unknownCA           alert = 48
	accessDenied        alert = 49
	decryptError        alert = 51
	internalError       alert = 80
	noRenegotiation     alert = 100
	certificateRequired alert = 116
	otherAlert          alert = 255 // one that says nothing about certificates
)

// aboutCertificate are the alerts by which a server speaks of the client's certificate
// and of nothing else.
var aboutCertificate = []alert{badCertificate, unsupportedCert, revokedCertificate, expiredCertificate, unknownCertificate, unknownCA, certificateRequired}

// mayBeAboutCertificate are alerts that some servers send over a certificate that they
// asked for.
var mayBeAboutCertificate = []alert{handshakeFailure, accessDenied, decryptError, internalError}

// alertOf returns the alert in an error, and whether we sent it ourselves. crypto/tls has
// its number in a type of its own, which shows no more than the words of tls.AlertError.
func alertOf(err error) (a alert, local bool) {
	var op *net.OpError
	for ; op == nil || op.Op != "remote error" && op.Op != "local error"; err = op.Err { // net/http has one around that of an https proxy
		if !errors.As(err, &op) || op.Err == nil {
			return noAlert, false
		}
	}
	for _, known := range slices.Concat(aboutCertificate, mayBeAboutCertificate, []alert{noRenegotiation}) {
		if op.Err.Error() == tls.AlertError(known).Error() {
			return known, op.Op == "local error"
		}
	}
	return otherAlert, op.Op == "local error"
}

// http2Lost is what net/http says about an HTTP/2 connection that was lost, without wrapping
// the cause.
var http2Lost = []string{
	"http2: client conn could not be established",
	"http2: client conn is closed",
	"http2: client conn not usable",
	"http2: client connection force closed via ClientConn.Close",
}

// lostBy returns the part of err that may be what is left of a server that closed the
// connection right after the handshake, or nil: in TLS 1.3 its alert can come too late to
// be read.
func lostBy(err error) error {
	for _, lost := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, net.ErrClosed} {
		if errors.Is(err, lost) {
			return lost
		}
	}
	if slices.Contains(http2Lost, err.Error()) {
		return err
	}
	return nil
}

// wrongSignature is what crypto/x509 says about a CA of the right name and another key.
var wrongSignature = []string{rsa.ErrVerification.Error(), "x509: ECDSA verification failure", "x509: Ed25519 verification failure"}

// hintOf returns why the constraint of a pool refused a CA in it, empty if it did not:
// crypto/x509 then says that the authority is unknown, possibly because of that.
func hintOf(err error) string {
	_, after, found := strings.Cut(err.Error(), " (possibly because of ")
	quoted, quoteErr := strconv.QuotedPrefix(after)
	hint, unquoteErr := strconv.Unquote(quoted)
	if !found || quoteErr != nil || unquoteErr != nil || slices.Contains(wrongSignature, hint) {
		return ""
	}
	return hint
}

// http2StreamError is the form in which net/http shows its own type to errors.As.
type http2StreamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (http2StreamError) Error() string { return "" }

// wantsHTTP1 reports whether a server refused a request because it came in HTTP/2 (RFC 9113
// section 7, HTTP_1_1_REQUIRED), as Apache does that would ask for a certificate now.
func wantsHTTP1(err error) bool {
	var e http2StreamError
	return errors.As(err, &e) && e.Code == 0xd
}

// noClientCertificate is what crypto/tls says about a client that shows none.
const noClientCertificate = "tls: client didn't provide a certificate"

// wrongClientSignature begins what crypto/tls says about a client that has not the key of the
// certificate that it shows.
const wrongClientSignature = "tls: invalid signature by the client certificate"

// causeOfWords returns the reason in crypto/x509's words, which is all that net/http logs;
// empty for others.
func causeOfWords(text string) chain.Reason {
	for _, known := range []struct {
		words []string
		cause chain.Reason
	}{
		{[]string{"certificate has expired or is not yet valid", " is before "}, chain.NotYetValid},
		{[]string{"certificate has expired or is not yet valid"}, chain.Expired},
		{[]string{"certificate signed by unknown authority"}, chain.UnknownAuthority},
		{[]string{"certificate specifies an incompatible key usage"}, chain.WrongUsage},
		{[]string{"certificate is not authorized to sign other certificates"}, chain.NotACA},
		{[]string{"too many intermediates for path length constraint"}, chain.PathTooLong},
	} {
		if !slices.ContainsFunc(known.words, func(w string) bool { return !strings.Contains(text, w) }) {
			return known.cause
		}
	}
	return ""
}

// errorOfWords is the error of which net/http logged the text, nil for one that
// VerifyConnection reported.
func errorOfWords(text string) error {
	if strings.HasPrefix(text, "pkioverheid: ") {
		return nil
	}
	if said, found := strings.CutPrefix(text, "remote error: "); found {
		return &net.OpError{Op: "remote error", Err: errors.New(said)}
	}
	if strings.HasPrefix(text, "tls: failed to verify certificate: ") {
		return &tls.CertificateVerificationError{Err: errors.New(text)}
	}
	if text == "EOF" || strings.Contains(text, "connection reset by peer") {
		return io.EOF
	}
	return errors.New(text)
}
