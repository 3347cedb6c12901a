package inventory

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// isHost reports whether a target is a host and port, or a URL of [startTLS], rather
// than a path.
func (s *scanner) isHost(target string) bool {
	if _, _, ok := clearTarget(target); !ok {
		host, port, err := net.SplitHostPort(target)
		if err != nil || host == "" || strings.ContainsAny(host, `/\ `) {
			return false
		}
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return false
		}
	}
	_, err := s.tree.stat(target)
	return err != nil
}

// What a server may send. A handshake with 256 KiB of certificates, which is what
// crypto/tls takes at most, fits.
const maxFromHost = 1 << 20

// manyCertificates is from when it is worth a word how many a server sends.
const manyCertificates = 16

// askHost returns what a server presents. Nothing is sent to it but the beginning
// of a handshake, which ends when its certificates are there.
func (s *scanner) askHost(target string) []Result {
	s.Progress.Hosts.Add(1)
	protocol, address, clear := clearTarget(target)
	if !clear {
		address = target
	}
	host, _, _ := net.SplitHostPort(address)
	if s.ServerName != "" {
		host = s.ServerName
	}
	presented, err := s.presentedBy(protocol, address, host, allCipherSuites())
	if s.ctx.Err() != nil {
		return nil
	}
	results := s.presentedResults(target, host, "", presented)
	if err == nil && len(presented) > 0 {
		results = append(results, s.askOtherKey(protocol, address, host, target, presented[0])...)
	}
	if len(presented) > manyCertificates {
		err = fmt.Errorf("it sends %d certificates, where a chain has three or four: that is a mistake in its configuration", len(presented))
	}
	if err != nil {
		results = append(results, Result{Target: target, Err: &trouble{where: target, text: s.hostText(err), cause: err}})
	}
	for i := range results {
		if s.JudgeAhead && results[i].known != nil {
			results[i].State()
			results[i].Advice()
		}
	}
	return results
}

// askOtherKey asks a server once more, as a client that takes no key of the kind of its
// first certificate: some have an RSA and an ECDSA one. It says nothing about a server
// that has one only. In TLS 1.3, which has no cipher suites for kinds of keys, crypto/tls
// cannot ask for that: what a server has for TLS 1.3 alone is not found.
func (s *scanner) askOtherKey(protocol, address, host, target string, first *x509.Certificate) []Result {
	other := "RSA"
	if first.PublicKeyAlgorithm == x509.RSA {
		other = "ECDSA"
	}
	presented, err := s.presentedBy(protocol, address, host, suitesFor(other))
	if err != nil || len(presented) == 0 || presented[0].Equal(first) || s.ctx.Err() != nil {
		return nil
	}
	return s.presentedResults(target, host, other+" ", presented)
}

// suitesFor are the cipher suites up to TLS 1.2 with keys of a kind.
func suitesFor(kind string) (ids []uint16) {
	for _, c := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		isECDSA := strings.Contains(c.Name, "_ECDSA_")
		if slices.Contains(c.SupportedVersions, tls.VersionTLS12) && isECDSA == (kind == "ECDSA") {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// presentedResults are the results of one handshake.
func (s *scanner) presentedResults(target, host, kind string, presented []*x509.Certificate) []Result {
	var results []Result
	from := &source{host: host}
	for i, cert := range presented {
		r := Result{Target: target, Place: kind + "chain position " + strconv.Itoa(i+1), Use: TLSChain, from: from}
		if i == 0 {
			r.Use = TLSServer
		}
		k, err := s.judge.of(cert.Raw, false)
		if err != nil { // crypto/tls has parsed it
			r.Err = &trouble{where: target, text: r.Place + ": " + err.Error(), cause: err}
		} else {
			r.known, r.Certificate = k, k.cert
			if len(from.beside) < maxBeside {
				from.beside = append(from.beside, k.cert)
			}
			s.Progress.Certificates.Add(1)
		}
		results = append(results, r)
	}
	return results
}

// presentedBy makes half a handshake. No root is trusted in it, so that it never
// succeeds: what the server presents comes with the error. If suites are those of some
// keys only, it is one of TLS 1.2.
func (s *scanner) presentedBy(protocol, address, host string, suites []uint16) ([]*x509.Certificate, error) {
	ask, err := inClear(protocol)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.Timeout)
	defer cancel()
	conn, err := s.Dial(ctx, "tcp", address)
	if err != nil {
		return nil, &connectError{err}
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := ask(conn); err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	cfg := &tls.Config{
		ServerName: host,
		RootCAs:    x509.NewCertPool(),
		Time:       func() time.Time { return s.Time },
		// Old servers are to be found, and nothing is entrusted to them.
		MinVersion:   tls.VersionTLS10,
		CipherSuites: suites,
	}
	if len(suites) < len(allCipherSuites()) {
		cfg.MaxVersion = tls.VersionTLS12
	}
	client := tls.Client(&boundedConn{Conn: conn, left: maxFromHost}, cfg)
	err = client.HandshakeContext(ctx)
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) {
		return unverified.UnverifiedCertificates, nil
	}
	if err == nil {
		return nil, errors.New("the handshake succeeded, although nothing was trusted in it")
	}
	if errors.Is(err, net.ErrClosed) { // by us, when the time was over
		err = cmp.Or(ctx.Err(), err)
	}
	return nil, err
}

func allCipherSuites() (ids []uint16) {
	for _, c := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		ids = append(ids, c.ID)
	}
	return ids
}

// hostText says what is wrong with a host.
func (s *scanner) hostText(err error) string {
	var record tls.RecordHeaderError
	var timeout net.Error
	var resolve *net.DNSError
	var connect *connectError
	switch {
	case errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return "it answers with plain HTTP, not TLS: is it the right port?"
	case errors.As(err, &record):
		return "it answers with something else than TLS: is it the right port?"
	case errors.As(err, &resolve) && resolve.IsNotFound:
		return "there is no such host"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: is it the right port, and does it run?"
	case errors.As(err, &connect) && errors.As(err, &timeout) && timeout.Timeout():
		return "no connection came about in time"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("it did not answer within %v", s.Timeout)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it closed the connection before it showed a certificate"
	}
	return err.Error()
}

// connectError is one of dialling.
type connectError struct{ error }

func (e *connectError) Unwrap() error { return e.error }

// boundedConn stops reading after so many bytes.
type boundedConn struct {
	net.Conn
	left int
}

var errTooMuch = fmt.Errorf("it sent more than %d bytes and no certificate", maxFromHost)

func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooMuch
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
