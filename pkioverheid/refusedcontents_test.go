package pkioverheid_test

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// What is refused leaves all that was there, connections too.
func TestRefusedContentsLeaveTheConnections(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	srv := g1.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), pkiotest.Leaf{})
	t.Cleanup(srv.Close)
	roots := truststore.NewSource(g1.Roots())
	trust := pkioverheid.Trust{Roots: roots}
	trust.Logger, _ = lines()
	client := newClient(t, pkioverheid.ClientConfig{Trust: trust})
	reused := func() (reused bool) {
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
		req, err := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
		require.NoError(t, err)
		resp, err := client.Do(req)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
		return reused
	}
	require.False(t, reused())
	require.True(t, reused())
	require.NoError(t, roots.Set(truststore.New(g1.Certificates()[0], pkioverheid.G3.Root())))
	assert.True(t, reused(), "after roots that are refused")
	require.NoError(t, roots.Set(g1.Roots()))
	assert.False(t, reused(), "after others")
}
