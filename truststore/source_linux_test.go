package truststore

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// restless is a file that has other contents at each reading.
const restless = "/proc/sys/kernel/random/uuid"

func TestWatchBeginsWhenTheContentsStay(t *testing.T) {
	if _, err := os.Stat(restless); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	write(t, dir, "a.pem", text(realCerts(t)[0]))
	link := filepath.Join(dir, "b")
	require.NoError(t, os.Symlink(restless, link))
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s, err := Watch(t.Context(), dir, KeepGoing())
		assert.Nil(t, s)
		assert.ErrorContains(t, err, "truststore: "+dir+": the contents do not stop changing")
		assert.Equal(t, firstTries*settle, time.Since(start), "not for ever")

		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		start = time.Now()
		s, err = Watch(ctx, dir, KeepGoing())
		assert.Nil(t, s)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start).Round(settle))

		time.AfterFunc(time.Second+settle/2, func() { assert.NoError(t, os.Remove(link)) })
		start = time.Now()
		s, err = Watch(t.Context(), dir, KeepGoing())
		require.NoError(t, err)
		assert.Equal(t, time.Second+settle, time.Since(start))
		assert.Equal(t, 1, s.Store().Len())
		assert.NoError(t, s.Err())
	})
}
