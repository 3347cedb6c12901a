package pkioverheid_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// net/http says 200 where a handler says nothing of a status.
func TestARefusalHasItsStatusWhateverOnRefusalForgets(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter)
		status int
		body   string
	}{
		{"it writes", func(w http.ResponseWriter) { fmt.Fprint(w, "no") }, 403, "no"},
		{"it flushes", func(w http.ResponseWriter) { assert.NoError(t, http.NewResponseController(w).Flush()) }, 403, ""},
		{"it sends a header, and flushes", func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusTeapot)
			assert.NoError(t, http.NewResponseController(w).Flush())
			fmt.Fprint(w, "no")
		}, 418, "no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			trust := fixtureTrust()
			trust.Logger, _ = lines()
			s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{
				Trust: trust, KeyPairs: pairs(ownPair()),
				OnRefusal: func(w http.ResponseWriter, _ *http.Request, _ int, _ error) { c.answer(w) },
			}, anybody)
			require.NoError(t, err)
			srv := httptest.NewServer(s.Handler(http.NotFoundHandler()))
			defer srv.Close()
			resp, err := http.Get(srv.URL)
			require.NoError(t, err)
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, c.status, resp.StatusCode)
			assert.Equal(t, c.body, string(body))
		})
	}
}
