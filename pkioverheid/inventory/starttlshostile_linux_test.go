package inventory_test

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// A hostile server that begins in clear costs little time and memory, and what it adds in
// clear after it agreed to TLS gives no certificate.
func TestHostileServersThatBeginInClearAreBounded(t *testing.T) {
	pair := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	const slack = 10 * time.Second
	const mostSent = 16 << 20 // the buffers of two sockets; a server could send gigabytes in this time
	hear := func(c net.Conn) { _, _ = c.Read(make([]byte, 512)) }
	var sent atomic.Int64
	forever := func(text string, pause time.Duration) func(net.Conn) {
		return func(c net.Conn) {
			for {
				n, err := io.WriteString(c, text)
				sent.Add(int64(n))
				if err != nil {
					return
				}
				time.Sleep(pause)
			}
		}
	}
	injected := func(greeting, answer string) func(net.Conn) {
		return func(c net.Conn) {
			if greeting != "" {
				_, _ = io.WriteString(c, greeting)
				hear(c)
				_, _ = io.WriteString(c, "250 STARTTLS\r\n")
			}
			hear(c)
			_, _ = io.WriteString(c, answer)
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}}).Handshake()
		}
	}
	for _, c := range []struct {
		name, protocol string
		server         func(net.Conn)
	}{
		{"SMTP whose greeting never ends", "smtp", forever("220-"+strings.Repeat("x", 500)+"\r\n", 0)},
		{"SMTP with a line of a megabyte", "smtp", func(c net.Conn) {
			_, _ = io.WriteString(c, "220 "+strings.Repeat("x", 1<<20)+"\r\n")
			_, _ = io.Copy(io.Discard, c)
		}},
		{"SMTP that drips", "smtp", forever("2", 20*time.Millisecond)},
		{"LDAP that drips", "ldap", func(c net.Conn) {
			_, _ = io.WriteString(c, "\x30\x82\xff\xff")
			forever("\x02", 20*time.Millisecond)(c)
		}},
		{"LDAP that promises more than it may", "ldap", func(c net.Conn) {
			_, _ = io.WriteString(c, "\x30\x84\x7f\xff\xff\xff")
			forever(strings.Repeat("\x02", 1<<16), 0)(c)
		}},
		{"PostgreSQL that says nothing but zeros", "postgres", forever(strings.Repeat("\x00", 1<<16), 0)},
		{"PostgreSQL that goes on after it agreed", "postgres", forever(strings.Repeat("S", 1<<16), 0)},
		{"SMTP that injects an answer", "smtp", injected("220 mail\r\n", "220 go\r\n250 injected\r\n")},
		{"LDAP that injects an answer", "ldap", injected("", "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00")},
		{"PostgreSQL that injects an answer", "postgres", injected("", "SR\x00\x00\x00\x08\x00\x00\x00\x00")},
	} {
		t.Run(c.name, func(t *testing.T) {
			patience := 20 * time.Second
			if strings.HasSuffix(c.name, "drips") {
				patience = 300 * time.Millisecond
			}
			sent.Store(0)
			start := time.Now()
			certs, trouble := presented(t, c.protocol+"://"+serve(t, c.server), patience)
			assert.Less(t, time.Since(start), slack)
			assert.Error(t, trouble)
			assert.Empty(t, certs)
			assert.Less(t, len(trouble.Error()), 300)
			assert.Less(t, sent.Load(), int64(mostSent))
		})
	}
}
