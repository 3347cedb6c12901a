package crl

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/go-pkioverheid/trust/chain/internal/fetch"
)

// Checker refuses revoked certificates, with [Checker.Policy]. It fetches and keeps the CRLs
// that this needs. It is safe for concurrent use.
type Checker struct {
	// It has no state of its own: the lists and their lock are the store's.
	store    *store
	timeout  time.Duration
	skew     time.Duration
	softFail func(error)
	now      func() time.Time

	configured map[string][]*x509.Certificate // Config.Signers, by RawSubject
	paths      paths
}

// NewChecker returns a Checker and starts its goroutine, which reads the folder and
// refreshes CRLs until [Checker.Close]. Nothing is fetched yet.
func NewChecker(cfg Config) (*Checker, error) {
	if len(cfg.Hosts) == 0 && cfg.Folder == "" {
		return nil, errors.New("crl: a Checker without Hosts and without a Folder would refuse everything: give it one of them")
	}
	if cfg.Timeout < 0 || cfg.MaxBytes < 0 || cfg.RefreshEvery < 0 {
		return nil, errors.New("crl: Timeout, MaxBytes or RefreshEvery is negative: zero means the default")
	}
	clock := cfg.Time
	if clock == nil {
		clock = time.Now
	}
	c := &Checker{
		timeout:  orDefault(cfg.Timeout, fetch.DefaultTimeout),
		skew:     max(orDefault(cfg.ClockSkew, defaultSkew), 0),
		softFail: cfg.SoftFail,
		// Without the monotonic clock, which stops while a machine sleeps.
		now: func() time.Time { return clock().Round(0) },
	}
	c.configured = make(map[string][]*x509.Certificate)
	for _, cert := range cfg.Signers {
		if cert == nil || len(cert.RawTBSCertificate) == 0 {
			return nil, errors.New("crl: one of Signers is nil or was never parsed")
		}
		c.configured[string(cert.RawSubject)] = append(c.configured[string(cert.RawSubject)], cert)
	}
	s := newStore(c.now, c.skew)
	s.maxBytes = min(orDefault(cfg.MaxBytes, defaultMaxBytes), math.MaxInt64/(4*memoryFactor)/2) // room for sums
	s.unnumbered = cfg.AllowUnnumbered
	s.refreshEvery = max(orDefault(cfg.RefreshEvery, defaultRefresh), minRefresh)
	if s.logger = cfg.Logger; s.logger == nil {
		s.logger = slog.Default()
	}
	c.store = s
	if len(cfg.Hosts) > 0 {
		f, err := fetch.New(fetch.Config{
			Client: cfg.Client, Hosts: cfg.Hosts, AllowPrivate: cfg.AllowPrivate,
			Timeout: cfg.Timeout, MaxBytes: s.maxBytes,
		})
		if err != nil {
			return nil, fmt.Errorf("crl: %w", err)
		}
		s.fetcher = f
	}
	if cfg.Cache != "" {
		cache, err := openCache(cfg.Cache, s.maxBytes)
		if err != nil {
			return nil, fmt.Errorf("crl: cache: %w", err)
		}
		s.cache = cache
	}
	s.folder = &folder{path: cfg.Folder, maxBytes: s.maxBytes, unnumbered: s.unnumbered}
	if err := s.folder.open(); err != nil {
		return nil, fmt.Errorf("crl: folder: %w", err)
	}
	if cfg.Folder != "" {
		s.folder.report(s.logger, nil)
	}
	s.open()
	return c, nil
}

func orDefault[T comparable](value, standard T) T {
	var zero T
	if value == zero {
		return standard
	}
	return value
}

// Close ends the goroutines of the Checker and waits for them. Policy goes on with the
// lists that it has, while they are current. Close always returns nil.
func (c *Checker) Close() error {
	c.store.close()
	return nil
}

// Status returns the state of each CRL that is in use or should be, by issuer, of files
// in the folder that cannot be read, and for each CA of one list that gave way for room.
func (c *Checker) Status() []Status { return c.store.status() }
