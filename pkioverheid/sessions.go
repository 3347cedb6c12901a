package pkioverheid

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"sync"
	"time"
)

// defaultSessionLifetime is the zero ServerConfig.SessionLifetime.
const defaultSessionLifetime = 24 * time.Hour

// sessions are those of a server. Each ticket carries when the client last signed a
// handshake and which certificate the server showed in it: crypto/tls starts the time
// anew with each ticket of TLS 1.3.
type sessions struct {
	tickets  *tls.Config // has the keys
	lifetime time.Duration
	clock    func() time.Time

	// crypto/tls does not pass the contents of the old ticket on to the new one. For
	// each client certificate, these are the oldest times in the tickets that were
	// opened: where two are resumed at the same time, the new tickets end no later
	// than either. Between opening and making one, a handshake reads nothing.
	mu            sync.Mutex
	since         time.Time
	opened, older map[[sha256.Size]byte]int64
}

const (
	// openedPeriod is longer than the check of a resumed session takes; entries are
	// kept for one to two of it.
	openedPeriod = 5 * time.Minute
	maxOpened    = 1 << 13 // a client too many signs at its next connection
)

// ticketNote is our entry in tls.SessionState.Extra.
type ticketNote struct {
	signed         int64 // Unix time
	server, client [sha256.Size]byte
}

var ticketPrefix = []byte("pkioverheid session 1:")

func (n ticketNote) encode() []byte {
	b := binary.BigEndian.AppendUint64(bytes.Clone(ticketPrefix), uint64(n.signed))
	return append(append(b, n.server[:]...), n.client[:]...)
}

func decodeTicketNote(extra [][]byte) (n ticketNote, ok bool) {
	for _, e := range extra {
		if b, found := bytes.CutPrefix(e, ticketPrefix); found && len(b) == 8+2*sha256.Size {
			n.signed = int64(binary.BigEndian.Uint64(b))
			copy(n.server[:], b[8:])
			copy(n.client[:], b[8+sha256.Size:])
			return n, true
		}
	}
	return n, false
}

// bind makes tc give and take tickets for connections that show own.
func (s *sessions) bind(tc *tls.Config, own *x509.Certificate) {
	server := sha256.Sum256(own.Raw)
	tc.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		n := ticketNote{signed: s.clock().Unix(), server: server}
		if len(cs.PeerCertificates) > 0 {
			n.client = sha256.Sum256(cs.PeerCertificates[0].Raw)
		}
		if cs.DidResume {
			n.signed = s.signed(n.client)
		}
		ss.Extra = append(ss.Extra, n.encode())
		ss.EarlyData = false // whoever saw it could send it again, in the client's name
		return s.tickets.EncryptTicket(cs, ss)
	}
	tc.UnwrapSession = func(ticket []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := s.tickets.DecryptTicket(ticket, cs)
		if err != nil || ss == nil {
			return nil, err
		}
		n, ok := decodeTicketNote(ss.Extra)
		if age := s.clock().Sub(time.Unix(n.signed, 0)); !ok || n.server != server || age < 0 || age > s.lifetime {
			return nil, nil // a whole handshake
		}
		s.open(n)
		return ss, nil
	}
}

// open records that a ticket was opened, and that another may be made in its place.
func (s *sessions) open(n ticketNote) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	switch age := now.Sub(s.since); {
	case age < 0 || age > 2*openedPeriod:
		s.since, s.opened, s.older = now, nil, nil
	case age > openedPeriod:
		s.since, s.opened, s.older = now, nil, s.opened
	}
	if s.opened == nil {
		s.opened = make(map[[sha256.Size]byte]int64)
	}
	if signed, ok := s.opened[n.client]; ok {
		s.opened[n.client] = min(signed, n.signed)
	} else if len(s.opened) < maxOpened {
		s.opened[n.client] = n.signed
	}
}

// signed returns when a client that resumes has signed, or long ago if that was not
// recorded.
func (s *sessions) signed(client [sha256.Size]byte) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	signed, ok := s.opened[client]
	if before, too := s.older[client]; too && (!ok || before < signed) {
		return before
	}
	return signed
}
