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
	"strconv"
	"strings"
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
	presented, err := s.presentedBy(protocol, address, host)
	if s.ctx.Err() != nil {
		return nil
	}
	var results []Result
	from := &source{host: host}
	for i, cert := range presented {
		r := Result{Target: target, Place: "chain position " + strconv.Itoa(i+1), Use: TLSChain, from: from}
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

// presentedBy makes half a handshake. No root is trusted in it, so that it never
// succeeds: what the server presents comes with the error.
func (s *scanner) presentedBy(protocol, address, host string) ([]*x509.Certificate, error) {
	ask, err := inClear(protocol)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.Timeout)
	defer cancel()
	conn, err := s.Dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := ask(conn); err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	client := tls.Client(&boundedConn{Conn: conn, left: maxFromHost}, &tls.Config{
		ServerName: host,
		RootCAs:    x509.NewCertPool(),
		Time:       func() time.Time { return s.Time },
		// Old servers are to be found, and nothing is entrusted to them.
		MinVersion:   tls.VersionTLS10,
		CipherSuites: allCipherSuites(),
	})
	err = client.HandshakeContext(ctx)
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) {
		return unverified.UnverifiedCertificates, nil
	}
	if err == nil {
		return nil, errors.New("the handshake succeeded, although nothing was trusted in it")
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
	switch {
	case errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return "it answers with plain HTTP, not TLS: is it the right port?"
	case errors.As(err, &record):
		return "it answers with something else than TLS: is it the right port?"
	case errors.As(err, &resolve) && resolve.IsNotFound:
		return "there is no such host"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("it did not answer within %v", s.Timeout)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it closed the connection before it showed a certificate"
	}
	return err.Error()
}

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
