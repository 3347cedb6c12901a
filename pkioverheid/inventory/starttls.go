package inventory

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// startTLS is what a protocol that begins in clear says before its handshake, and its
// usual port.
var startTLS = map[string]struct {
	port string
	ask  func(net.Conn) error
}{
	"smtp":     {"25", askSMTP},
	"ldap":     {"389", askLDAP},
	"postgres": {"5432", askPostgres},
}

// clearTarget splits a target such as smtp://mail.example:25. The third value is false
// for a target without a scheme.
func clearTarget(target string) (scheme, address string, ok bool) {
	scheme, rest, found := strings.Cut(target, "://")
	if !found || scheme == "" || strings.Trim(strings.ToLower(scheme), "abcdefghijklmnopqrstuvwxyz0123456789+-.") != "" {
		return "", "", false
	}
	scheme = strings.ToLower(scheme)
	rest, _, _ = strings.Cut(rest, "/")
	if _, _, err := net.SplitHostPort(rest); err != nil {
		rest = net.JoinHostPort(strings.Trim(rest, "[]"), cmp.Or(startTLS[scheme].port, "0"))
	}
	return scheme, rest, true
}

// inClear is what is said before the handshake: nothing, without a scheme.
func inClear(scheme string) (ask func(net.Conn) error, err error) {
	if scheme == "" {
		return func(net.Conn) error { return nil }, nil
	}
	protocol, ok := startTLS[scheme]
	if !ok {
		return nil, fmt.Errorf("%s:// is not supported: of the protocols that begin in clear ldap, postgres and smtp are", safetext.Shorten(scheme, 20))
	}
	return protocol.ask, nil
}

var (
	errNoTLS = errors.New("it does not offer TLS (STARTTLS)")
	// A server, or somebody between, may send text in clear that would count as sent
	// after the handshake.
	errTextBeforeTLS = errors.New("it sent more in clear after it agreed to TLS")
)

// maxInClear bounds what a server says before the handshake.
const maxInClear = 64 << 10

// askSMTP is STARTTLS of RFC 3207.
func askSMTP(conn net.Conn) error {
	buffered := bufio.NewReader(io.LimitReader(conn, maxInClear))
	answers := textproto.NewReader(buffered)
	if _, _, err := answers.ReadResponse(220); err != nil {
		return smtpError(err)
	}
	if _, err := io.WriteString(conn, "EHLO localhost\r\n"); err != nil {
		return err
	}
	_, extensions, err := answers.ReadResponse(250)
	if err != nil {
		return smtpError(err)
	}
	if !slices.ContainsFunc(strings.Split(extensions, "\n"), func(line string) bool {
		return strings.EqualFold(strings.TrimSpace(line), "STARTTLS")
	}) {
		return errNoTLS
	}
	if _, err := io.WriteString(conn, "STARTTLS\r\n"); err != nil {
		return err
	}
	if _, _, err := answers.ReadResponse(220); err != nil {
		return smtpError(err)
	}
	if buffered.Buffered() > 0 {
		return errTextBeforeTLS
	}
	return nil
}

// smtpError leaves out the text of an answer.
func smtpError(err error) error {
	var answer *textproto.Error
	var protocol textproto.ProtocolError
	switch {
	case errors.As(err, &answer):
		return fmt.Errorf("it refuses with the SMTP code %d", answer.Code)
	case errors.As(err, &protocol):
		return errors.New("it does not speak SMTP")
	}
	return err
}

// askLDAP is the StartTLS operation of RFC 4511, 4.14.
func askLDAP(conn net.Conn) error {
	const request = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + "1.3.6.1.4.1.1466.20037"
	if _, err := io.WriteString(conn, request); err != nil {
		return err
	}
	message, err := readBER(conn, 0x30)
	if err != nil {
		return err
	}
	fields := bytes.NewReader(message)
	if _, err := readBER(fields, 0x02); err != nil {
		return err
	}
	response, err := readBER(fields, 0x78)
	if err != nil {
		return err
	}
	code, err := readBER(bytes.NewReader(response), 0x0a)
	switch {
	case err != nil:
		return err
	case len(code) != 1:
		return errNotLDAP
	case code[0] != 0:
		return fmt.Errorf("it refuses with the LDAP result code %d", code[0])
	}
	return nil
}

var errNotLDAP = errors.New("it does not speak LDAP")

// readBER reads one element with the given tag, and nothing after it. Active Directory
// writes lengths longer than DER allows.
func readBER(r io.Reader, tag byte) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	if head[0] != tag {
		return nil, errNotLDAP
	}
	length := uint64(head[1])
	if head[1]&0x80 != 0 {
		var long [8]byte
		n := int(head[1] & 0x7f)
		if n == 0 || n > 4 {
			return nil, errNotLDAP
		}
		if _, err := io.ReadFull(r, long[8-n:]); err != nil {
			return nil, err
		}
		length = binary.BigEndian.Uint64(long[:])
	}
	if length > maxInClear {
		return nil, errNotLDAP
	}
	body := make([]byte, length)
	_, err := io.ReadFull(r, body)
	return body, err
}

// askPostgres is the SSLRequest of PostgreSQL's protocol, whose answer is one byte.
func askPostgres(conn net.Conn) error {
	if _, err := conn.Write([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}); err != nil {
		return err
	}
	var answer [1]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return err
	}
	switch answer[0] {
	case 'S':
		return nil
	case 'N':
		return errNoTLS
	}
	return errors.New("it does not speak PostgreSQL's protocol")
}
