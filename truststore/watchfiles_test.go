package truststore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWatchFilesGivesFilesThatBelongTogether(t *testing.T) {
	dir := t.TempDir()
	a, b := write(t, dir, "a", []byte("1")), write(t, dir, "b", []byte("1"))
	synctest.Test(t, func(t *testing.T) {
		sleep := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait() // for what the watch wrote
		}
		var seen []string
		var reports []error
		looks := 0
		ctx, cancel := context.WithCancel(t.Context())
		problem, err := WatchFiles(ctx, func(contents [][]byte, _ time.Time) error {
			if string(contents[0]) != string(contents[1]) {
				return errors.New("they do not belong together")
			}
			seen = append(seen, string(contents[0]))
			return nil
		}, []string{a, b}, OnReload(func(r Reload) { reports = append(reports, r.Err) }), OnLook(func(time.Time) { looks++ }))
		require.NoError(t, err)
		require.Equal(t, []string{"1"}, seen)

		write(t, dir, "a", []byte("2"))
		sleep(time.Minute)
		require.Len(t, reports, 1, "a half replacement is reported once")
		assert.ErrorContains(t, reports[0], "belong together")
		assert.Equal(t, reports[0], problem())
		write(t, dir, "b", []byte("2"))
		sleep(time.Minute)
		assert.Equal(t, []string{"1", "2"}, seen)
		require.NoError(t, os.RemoveAll(b))
		sleep(2 * time.Minute)
		require.Len(t, reports, 3)
		assert.NoError(t, reports[1])
		assert.ErrorContains(t, reports[2], b)
		assert.Equal(t, reports[2], problem())
		write(t, dir, "b", []byte("2"))
		sleep(2 * time.Minute)
		require.Len(t, reports, 4)
		assert.NoError(t, reports[3], "the folder is right again")
		assert.NoError(t, problem())
		assert.Equal(t, []string{"1", "2"}, seen, "and holds what is in use")
		assert.Greater(t, looks, 10)
		cancel()
		synctest.Wait() // the goroutine has ended, or synctest.Test would fail
	})
}

func TestWatchFilesSurvivesAClockThatJumps(t *testing.T) {
	path := write(t, t.TempDir(), "a", []byte("1"))
	synctest.Test(t, func(t *testing.T) {
		var offset atomic.Int64
		var used atomic.Value
		clock := func() time.Time { return time.Now().Round(0).Add(time.Duration(offset.Load())) }
		_, err := WatchFiles(t.Context(), func(contents [][]byte, at time.Time) error {
			used.Store(string(contents[0]))
			return nil
		}, []string{path}, WithTime(clock), OnReload(func(Reload) {}))
		require.NoError(t, err)
		for i, jump := range []time.Duration{-100 * 24 * time.Hour, 200 * 24 * time.Hour, -time.Hour} {
			text := strings.Repeat("x", i+2)
			write(t, filepath.Dir(path), "a", []byte(text))
			time.Sleep(defaultInterval + settle/2) // seen, and not yet used
			offset.Add(int64(jump))
			time.Sleep(2 * defaultInterval)
			assert.Equal(t, text, used.Load(), jump)
		}
	})
}

func TestWatchFilesRefusesWhatItCannotFollow(t *testing.T) {
	use := func([][]byte, time.Time) error { return nil }
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	path := write(t, t.TempDir(), "a", []byte("1"))
	watched := func(ctx context.Context, use func([][]byte, time.Time) error, paths []string, opts ...Option) error {
		_, err := WatchFiles(ctx, use, paths, opts...)
		return err
	}
	assert.Error(t, watched(t.Context(), nil, []string{path}))
	assert.Error(t, watched(t.Context(), use, nil))
	assert.Error(t, watched(t.Context(), use, []string{""}))
	assert.ErrorIs(t, watched(ended, use, []string{path}), context.Canceled)
	assert.ErrorIs(t, watched(t.Context(), use, []string{path + "x"}), os.ErrNotExist)
	assert.ErrorContains(t, watched(t.Context(), use, []string{path, path}, WithLimit(1)), "more than 1 bytes together")
}
