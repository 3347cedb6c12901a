package logius

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// MetadataSource is where a Keyring gets metadata by itself: see [Keyring.Watch].
type MetadataSource struct {
	URL    string       // https
	Client *http.Client // that of [Service.NewClient]; nil is an error

	// Verify verifies the signature of the document and reads it, as
	// samlsig.VerifyMetadata does. nil is an error.
	Verify func(doc []byte) (*Metadata, error)

	// Interval is how long to wait between two requests; zero or less is an hour. The
	// wait is shorter where the metadata ends (validUntil), and after a failure.
	Interval time.Duration

	// OnUpdate is called after each update, with what it changed and refused. A panic in it
	// is recovered and logged. nil is none.
	OnUpdate func(KeyChanges)
}

const (
	defaultInterval = time.Hour
	fetchTimeout    = time.Minute
	retryAfter      = 5 * time.Minute // a failure, at most
	beforeTheEnd    = time.Minute     // a request, at least
)

// Watch fetches the metadata and updates the Keyring with it, again and again until ctx
// ends. It returns an error if the first time fails. Later a document that cannot be
// fetched, does not verify, or is older than the one in use (by validUntil, or else
// Last-Modified) leaves what was there; Trust.Trace (Replaced) and Trust.Logger get the
// reason. Certificates are verified again each time.
func (k *Keyring) Watch(ctx context.Context, s MetadataSource) error {
	u, err := url.Parse(s.URL)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("logius: the metadata is at %s: want an https URL", safetext.Quote(s.URL))
	case s.Client == nil:
		return errors.New("logius: MetadataSource.Client is nil: use that of Service.NewClient")
	case s.Verify == nil:
		return errors.New("logius: MetadataSource.Verify is nil, so that anybody could write the metadata: use samlsig.VerifyMetadata")
	}
	if s.Interval <= 0 {
		s.Interval = defaultInterval
	}
	f := &follower{MetadataSource: s, keys: k, host: u.Host}
	if err := f.look(ctx); err != nil {
		return err
	}
	go f.run(ctx)
	return nil
}

// follower is what the goroutine of Watch knows.
type follower struct {
	MetadataSource
	keys *Keyring
	host string

	etag     string
	failures int
}

// version is what says which of two documents is the older one.
type version struct {
	validUntil, modified time.Time
}

func (v version) before(other version) bool {
	if !v.validUntil.IsZero() && !other.validUntil.IsZero() && !v.validUntil.Equal(other.validUntil) {
		return v.validUntil.Before(other.validUntil)
	}
	return !v.modified.IsZero() && !other.modified.IsZero() && v.modified.Before(other.modified)
}

func (f *follower) run(ctx context.Context) {
	timer := time.NewTimer(f.wait())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			err := f.look(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				f.failures++
				f.keys.report(f.host, err)
			} else {
				f.failures = 0
			}
			timer.Reset(f.wait())
		}
	}
}

// wait is how long to wait for the next look.
func (f *follower) wait() time.Duration {
	wait := f.Interval
	if f.failures > 0 {
		wait = min(wait, retryAfter)
	}
	if until := f.keys.version().validUntil; !until.IsZero() {
		left := until.Sub(f.keys.clock()) / 2
		wait = min(wait, max(left, beforeTheEnd))
	}
	return wait
}

// look fetches the metadata and uses it.
func (f *follower) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	doc, answer, err := f.fetch(ctx)
	if err != nil {
		return fmt.Errorf("logius: fetching the metadata from %s: %w", safetext.Quote(f.host), withoutURL(err))
	}
	if doc == nil { // it is the same; the certificates may have been revoked since
		f.updated(f.keys.again(), false)
		return nil
	}
	m, err := f.Verify(doc)
	if err != nil {
		return fmt.Errorf("logius: the metadata from %s: %w", safetext.Quote(f.host), err)
	}
	if m == nil {
		return fmt.Errorf("logius: the metadata from %s: MetadataSource.Verify returned nothing", safetext.Quote(f.host))
	}
	found := version{validUntil: m.validUntil()}
	if modified, err := http.ParseTime(answer.Get("Last-Modified")); err == nil {
		found.modified = modified
	}
	if !found.validUntil.IsZero() && found.validUntil.Before(f.keys.clock()) {
		return fmt.Errorf("logius: the metadata from %s counted until %s", safetext.Quote(f.host), found.validUntil.UTC().Format(time.RFC3339))
	}
	changes, ok := f.keys.updateIfNewer(m, found)
	if !ok {
		return fmt.Errorf("logius: the metadata from %s is older than what is in use", safetext.Quote(f.host))
	}
	if f.etag = answer.Get("ETag"); len(f.etag) > maxETag {
		f.etag = ""
	}
	f.updated(changes, true)
	return nil
}

// withoutURL leaves out the URL of an error of net/http, which can have a secret in it or
// be one that the server sent, and shortens what quotes the server at length.
func withoutURL(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	if len(err.Error()) > 4*safetext.MostError {
		return safetext.Error(err)
	}
	return err
}

const maxETag = 1 << 10

// fetch returns nil if the document is that of the ETag.
func (f *follower) fetch(ctx context.Context) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		return nil, nil, err
	}
	if f.etag != "" {
		req.Header.Set("If-None-Match", f.etag)
	}
	resp, err := f.Client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified && f.etag != "" {
		return nil, nil, nil
	}
	if err := pkioverheid.RefusedCertificate(resp); err != nil {
		return nil, nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("the answer is %s", safetext.Quote(resp.Status))
	}
	doc, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return nil, nil, err
	}
	if len(doc) > maxDocument {
		return nil, nil, fmt.Errorf("the document has more than %d MiB", maxDocument>>20)
	}
	return doc, resp.Header, nil
}

// updated reports what an update did; anew, that the document is another one.
func (f *follower) updated(changes KeyChanges, anew bool) {
	if f.OnUpdate != nil {
		f.keys.recovered("MetadataSource.OnUpdate", func() { f.OnUpdate(changes) })
	} else if n := len(changes.Refused); n > 0 && (anew || len(changes.Signing.Removed)+len(changes.Encryption.Removed) > 0) {
		f.keys.logger.Warn("logius: certificates of the metadata are not accepted", "from", safetext.Quote(f.host), "number", n, "first", changes.Refused[0].Err)
	}
	if anew {
		f.keys.traced(pkioverheid.Event{Peer: safetext.Quote(f.host)})
	}
}

// report says why new metadata is not used.
func (k *Keyring) report(host string, err error) {
	k.logger.Error("logius: what there was stays in use", "error", err)
	k.traced(pkioverheid.Event{Peer: safetext.Quote(host), Err: err})
}

// traced calls Trace.Replaced.
func (k *Keyring) traced(e pkioverheid.Event) {
	if k.trace != nil && k.trace.Replaced != nil {
		k.recovered("Trace.Replaced", func() { k.trace.Replaced(e) })
	}
}

// recovered calls a function of the program's. A panic in it ends nothing.
func (k *Keyring) recovered(name string, call func()) {
	defer func() {
		if p := recover(); p != nil {
			k.logger.Error("logius: "+name+" panicked", "panic", safetext.Printable(fmt.Sprint(p), safetext.MostError))
		}
	}()
	call()
}

// validUntil is when the last of the entities ends; zero if one does not.
func (m *Metadata) validUntil() (until time.Time) {
	for _, e := range m.Entities {
		if e.ValidUntil.IsZero() {
			return time.Time{}
		}
		if e.ValidUntil.After(until) {
			until = e.ValidUntil
		}
	}
	return until
}
