package logius_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// publisher publishes metadata, and counts.
type publisher struct {
	mu             sync.Mutex
	doc, etag      string
	modified       time.Time
	status         int
	asked, notDone int // requests, and those answered with 304
}

func (p *publisher) publish(doc, etag string, modified time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doc, p.etag, p.modified, p.status = doc, etag, modified, 0
}

func (p *publisher) counts() (asked, notModified int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked, p.notDone
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.status != 0 {
		http.Error(w, "no", p.status)
		return
	}
	if p.etag != "" {
		w.Header().Set("ETag", p.etag)
		if r.Header.Get("If-None-Match") == p.etag {
			p.notDone++
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if !p.modified.IsZero() {
		w.Header().Set("Last-Modified", p.modified.UTC().Format(http.TimeFormat))
	}
	w.Write([]byte(p.doc))
}

// watched is a Keyring that follows a publisher, by a clock that a test moves.
type watched struct {
	*logius.Keyring
	*publisher
	source logius.MetadataSource
	stop   context.CancelFunc

	mu     sync.Mutex
	at     time.Time
	events []pkioverheid.Event
	log    bytes.Buffer
}

func (w *watched) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *watched) move(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func (w *watched) told() []pkioverheid.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]pkioverheid.Event(nil), w.events...)
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

// await waits for an event that was refused, with a text.
func (w *watched) await(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, e := range w.told() {
			if e.Err != nil && strings.Contains(e.Err.Error(), text) {
				return true
			}
		}
		return false
	}, 10*time.Second, 5*time.Millisecond, "%v", w.told())
}

var errForged = errors.New("nobody signed this")

func newWatched(t *testing.T) *watched {
	w := &watched{publisher: &publisher{}, at: withinG1()}
	server := httptest.NewTLSServer(w.publisher)
	t.Cleanup(server.Close)
	k, err := logius.BSNk().NewKeyring(pkioverheid.Trust{
		Roots: truststore.NewSource(fixtures(pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS)), Time: w.now, Logger: slog.New(slog.NewTextHandler(w, nil)),
		Trace: &pkioverheid.Trace{Replaced: func(e pkioverheid.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		}},
	})
	require.NoError(t, err)
	w.Keyring = k
	w.source = logius.MetadataSource{URL: server.URL + "/metadata", Client: server.Client(), Interval: 20 * time.Millisecond, Verify: func(doc []byte) (*logius.Metadata, error) {
		if bytes.Contains(doc, []byte("forged")) {
			return nil, errForged
		}
		return logius.ReadMetadata(bytes.NewReader(doc))
	}}
	return w
}

// watch starts, and stops at the end of the test before the server does.
func (w *watched) watch(t *testing.T) error {
	ctx, cancel := context.WithCancel(t.Context())
	w.stop = cancel
	t.Cleanup(cancel)
	return w.Watch(ctx, w.source)
}

// until is metadata of one party that ends at a time.
func until(at time.Time, keys ...string) string {
	return strings.Replace(network(entity("urn:nl:one", keys...)), "<md:EntitiesDescriptor", fmt.Sprintf("<md:EntitiesDescriptor validUntil=%q", at.UTC().Format(time.RFC3339)), 1)
}

func TestAKeyringFollowsWhereMetadataIsPublished(t *testing.T) {
	w := newWatched(t)
	a, b, c := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{}), issue(t, pkioverheid.PrivateG4TLS, pkiotest.Leaf{}), issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})
	day := func(n int) time.Time { return w.now().AddDate(0, 0, n) }
	var changes []logius.KeyChanges
	var mu sync.Mutex
	w.source.OnUpdate = func(c logius.KeyChanges) {
		mu.Lock()
		defer mu.Unlock()
		changes = append(changes, c)
	}
	signing := func() int { return w.Signing("urn:nl:one").Len() }

	w.publish(until(day(10), keyDescriptor("signing", a)), `"1"`, time.Time{})
	require.NoError(t, w.watch(t))
	assert.Equal(t, 1, signing(), "the first time is before Watch returns")
	require.Eventually(t, func() bool { _, n := w.counts(); return n >= 3 }, 10*time.Second, time.Millisecond, "it asks with the ETag")
	assert.Len(t, w.told(), 1, "what stays the same is not reported")

	// A new document.
	w.publish(until(day(20), keyDescriptor("signing", a, b)), `"2"`, time.Time{})
	require.Eventually(t, func() bool { return signing() == 2 }, 10*time.Second, time.Millisecond)
	mu.Lock()
	assert.Len(t, changes[0].Signing.Added, 1)
	assert.Len(t, changes[len(changes)-1].Refused, 0)
	mu.Unlock()

	// What is refused leaves what was there, and is reported.
	for text, break_ := range map[string]func(){
		"the answer is":             func() { w.publisher.mu.Lock(); w.status = 500; w.publisher.mu.Unlock() },
		"nobody signed this":        func() { w.publish("forged", "", time.Time{}) },
		"there is no certificate":   func() { w.publish(network(), `"9"`, time.Time{}) },
		"is older than what is":     func() { w.publish(until(day(19), keyDescriptor("signing", c)), "", time.Time{}) },
		"counted until":             func() { w.publish(until(day(-1), keyDescriptor("signing", c)), "", time.Time{}) },
		"more than 16 MiB":          func() { w.publish(strings.Repeat(" ", 17<<20), "", time.Time{}) },
		"the document ends in the ": func() { w.publish(until(day(30), keyDescriptor("signing", c))[:500], "", time.Time{}) },
	} {
		break_()
		w.await(t, text)
		assert.Equal(t, 2, signing(), text)
	}
	w.mu.Lock()
	assert.Contains(t, w.log.String(), "what there was stays in use")
	assert.Contains(t, w.log.String(), "nobody signed this")
	w.mu.Unlock()

	// What was refused is not remembered by its ETag, and the next good one is used.
	w.publish(until(day(30), keyDescriptor("signing", c)), `"9"`, time.Time{})
	require.Eventually(t, func() bool { return signing() == 1 }, 10*time.Second, time.Millisecond)

	// It ends with the metadata, and comes back with new metadata.
	w.move(31 * 24 * time.Hour)
	assert.Zero(t, signing())
	w.publish(until(day(10), keyDescriptor("signing", c)), `"10"`, time.Time{})
	require.Eventually(t, func() bool { return signing() == 1 }, 10*time.Second, time.Millisecond)

	w.stop()
	time.Sleep(30 * time.Millisecond)
	asked, _ := w.counts()
	time.Sleep(100 * time.Millisecond)
	again, _ := w.counts()
	assert.Equal(t, asked, again, "nobody asks after the context")
	assert.Equal(t, 1, signing())
}

// Without validUntil the time of the file says which of two is older.
func TestAnOlderDocumentIsNotTakenOverANewerOne(t *testing.T) {
	w := newWatched(t)
	a, b := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{}), issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})
	newer, older := w.now().Add(-time.Hour), w.now().Add(-2*time.Hour)
	w.publish(network(entity("urn:nl:one", keyDescriptor("signing", a))), "", newer)
	require.NoError(t, w.watch(t))
	w.publish(network(entity("urn:nl:one", keyDescriptor("signing", b))), "", older)
	w.await(t, "is older than what is in use")
	assert.Equal(t, certsOf(w.Signing("urn:nl:one"))[0], a)
	w.publish(network(entity("urn:nl:one", keyDescriptor("signing", b))), "", newer.Add(time.Minute))
	require.Eventually(t, func() bool { return certsOf(w.Signing("urn:nl:one"))[0].Equal(b) }, 10*time.Second, time.Millisecond)

	// A stored copy counts as well.
	w = newWatched(t)
	w.Update(readMetadata(t, until(w.now().AddDate(0, 0, 9), keyDescriptor("signing", a))))
	w.publish(until(w.now().AddDate(0, 0, 8), keyDescriptor("signing", b)), "", time.Time{})
	assert.ErrorContains(t, w.watch(t), "is older than what is in use")
	assert.Equal(t, certsOf(w.Signing("urn:nl:one"))[0], a)
}

// The document stays as it is, and a certificate in it does not.
func TestCertificatesAreVerifiedAgainWhileTheDocumentStays(t *testing.T) {
	w := newWatched(t)
	short, long := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{}), issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})
	distrusted := new(pkioverheid.Distrusted)
	k, err := logius.BSNk().NewKeyring(pkioverheid.Trust{Roots: truststore.NewSource(fixtures(pkioverheid.PrivateG1)), Time: w.now, Distrusted: distrusted, Logger: slog.New(slog.NewTextHandler(w, nil))})
	require.NoError(t, err)
	w.Keyring = k
	w.publish(network(entity("urn:nl:one", keyDescriptor("signing", short, long))), `"1"`, time.Time{})
	require.NoError(t, w.watch(t))
	assert.Equal(t, 2, w.Signing("urn:nl:one").Len())
	require.NoError(t, distrusted.Set(pkioverheid.DistrustedEntry{Certificate: sha256.Sum256(short.Raw)}))
	require.Eventually(t, func() bool { return w.Signing("urn:nl:one").Len() == 1 }, 10*time.Second, time.Millisecond)
	asked, notModified := w.counts()
	assert.InDelta(t, asked-1, notModified, 1)
	logged := func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return strings.Count(w.log.String(), "are not accepted")
	}
	require.Eventually(t, func() bool { return logged() > 0 }, 10*time.Second, time.Millisecond, "that one is gone is logged")
	time.Sleep(100 * time.Millisecond)
	assert.Equal(t, 1, logged(), "once")
}

// Nobody waits for the next update: metadata that is given by hand may have none.
func TestWhatIsDistrustedAfterTheUpdateIsLeftOut(t *testing.T) {
	g1 := fixtures(pkioverheid.PrivateG1)
	roots, distrusted := truststore.NewSource(g1), new(pkioverheid.Distrusted)
	k, err := logius.BSNk().NewKeyring(pkioverheid.Trust{Roots: roots, Distrusted: distrusted, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	stolen, other := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{}), issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})
	k.Update(readMetadata(t, network(entity("urn:nl:one", keyDescriptor("", stolen, other)))))
	require.Equal(t, 2, k.Signing("urn:nl:one").Len())

	require.NoError(t, distrusted.Set(pkioverheid.DistrustedEntry{Certificate: sha256.Sum256(stolen.Raw), Reason: "stolen"}))
	for _, left := range []*truststore.Store{k.Signing("urn:nl:one"), k.Encryption("urn:nl:one")} {
		assert.Equal(t, 1, left.Len())
		assert.True(t, left.Contains(other))
	}

	require.NoError(t, distrusted.Set())
	assert.Equal(t, 2, k.Signing("urn:nl:one").Len())
	require.NoError(t, roots.Set(fixtures(pkioverheid.PrivateG4TLS)))
	assert.Zero(t, k.Signing("urn:nl:one").Len(), "the root is gone")
}

func TestASourceThatCannotBeFollowed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*watched)
		want   string
	}{
		"nobody verifies":     {func(w *watched) { w.source.Verify = nil }, "MetadataSource.Verify is nil"},
		"no client":           {func(w *watched) { w.source.Client = nil }, "MetadataSource.Client is nil"},
		"http":                {func(w *watched) { w.source.URL = "http://was.digid.nl/" }, "want an https URL"},
		"no URL":              {func(w *watched) { w.source.URL = "" }, "want an https URL"},
		"a server that fails": {func(w *watched) { w.status = 503 }, "503"},
		"a forged document":   {func(w *watched) { w.doc = "forged" }, "nobody signed this"},
		"nothing":             {func(w *watched) { w.source.Verify = func([]byte) (*logius.Metadata, error) { return nil, nil } }, "returned nothing"},
		"an ended context":    {func(w *watched) { w.source.Client = &http.Client{Transport: ended{}} }, "context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatched(t)
			w.publish(network(entity("urn:nl:one", keyDescriptor("signing", issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})))), "", time.Time{})
			c.change(w)
			assert.ErrorContains(t, w.watch(t), c.want)
			assert.Zero(t, w.Signing("urn:nl:one").Len())
			time.Sleep(50 * time.Millisecond)
			asked, _ := w.counts()
			assert.LessOrEqual(t, asked, 1, "it does not go on")
		})
	}
}

// What a server answers is in no error at length, nor is what a URL has after the host.
func TestErrorsOfASourceAreShort(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	var to string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}))
	defer server.Close()
	for name, location := range map[string]string{
		"a loop":             "/" + long,
		"a damaged URL":      "http://[" + long,
		"a scheme of theirs": long + "://x/",
		"nowhere":            "https://" + server.Listener.Addr().String()[:9] + ":1/" + long,
	} {
		t.Run(name, func(t *testing.T) {
			to = location
			w := newWatched(t)
			w.source.URL, w.source.Client = server.URL+"/metadata?token=secret", server.Client()
			err := w.watch(t)
			require.Error(t, err)
			assert.Less(t, len(err.Error()), 1000)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

type ended struct{}

func (ended) RoundTrip(*http.Request) (*http.Response, error) { return nil, context.Canceled }

func TestAPanicInOnUpdateEndsNothing(t *testing.T) {
	w := newWatched(t)
	w.source.OnUpdate = func(logius.KeyChanges) { panic("oops") }
	w.publish(network(entity("urn:nl:one", keyDescriptor("signing", issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})))), "", time.Time{})
	require.NoError(t, w.watch(t))
	w.mu.Lock()
	defer w.mu.Unlock()
	assert.Contains(t, w.log.String(), "MetadataSource.OnUpdate panicked")
	assert.Contains(t, w.log.String(), "oops")
}

// Whoever gives no OnUpdate reads in the log what was refused.
func TestWhatIsRefusedIsLogged(t *testing.T) {
	w := newWatched(t)
	w.publish(network(entity("urn:nl:one", keyDescriptor("signing", issue(t, pkioverheid.G3, pkiotest.Leaf{}), issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{})))), "", time.Time{})
	require.NoError(t, w.watch(t))
	w.mu.Lock()
	defer w.mu.Unlock()
	assert.Contains(t, w.log.String(), "certificates of the metadata are not accepted")
	assert.Contains(t, w.log.String(), "number=1")
}
