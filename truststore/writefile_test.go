package truststore

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// names lists a folder.
func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// child runs one test of this binary in a process of its own. The test must do
// nothing unless it finds the variable TRUSTSTORE_CHILD.
func child(t testing.TB, test, arg string, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "-test.run=^"+test+"$", "-test.count=1")
	// The race detector would make it stay for a second at its end.
	cmd.Env = append(append(os.Environ(), "TRUSTSTORE_CHILD="+arg, "GORACE=atexit_sleep_ms=0"), env...)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestWriteFileWritesWhatEncodeGives(t *testing.T) {
	certs := realCerts(t)
	dir := t.TempDir()
	for _, f := range []Format{PEM, DER} {
		for name, s := range map[string]*Store{"a new file": New(certs...), "over an old file": New(certs[3:5]...)} {
			path := filepath.Join(dir, "store."+string(f))
			require.NoError(t, s.WriteFile(path, f), name)
			want, err := s.Encode(f)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(read(t, dir, filepath.Base(path))))
		}
	}
	assert.Equal(t, []string{"store.DER", "store.PEM"}, names(t, dir), "and nothing else stays behind")
}

func TestWriteFileTakesAPathRelativeToTheWorkingFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("folder", 0o700))
	s := New(realCerts(t)[0])
	require.NoError(t, s.WriteFile("store.pem", PEM))
	require.NoError(t, s.WriteFile(filepath.Join("folder", "..", "other.pem"), PEM))
	long := strings.Repeat("x", 255)
	require.NoError(t, s.WriteFile(long, PEM), "the longest name that there is")
	assert.Equal(t, []string{"folder", "other.pem", "store.pem", long}, names(t, "."))
}

func TestWriteFileRefuses(t *testing.T) {
	one := New(realCerts(t)[0])
	for name, c := range map[string]struct {
		store *Store
		path  string // in a folder with the file old.pem and the folder sub
		f     Format
		opts  []Option
		want  string // of the error
	}{
		"an empty store over an old one":       {New(), "old.pem", PEM, nil, "old.pem: not written, because there is no certificate to write"},
		"an empty store into a new file":       {New(), "new.pem", PEM, nil, "there is no certificate to write"},
		"nil, which is an empty store":         {nil, "old.pem", PEM, nil, "there is no certificate to write"},
		"a folder":                             {one, "sub", PEM, nil, "this is a folder: give the name of a file"},
		"a name that ends as that of a folder": {one, "old.pem/", PEM, nil, "this is the name of a folder"},
		"the folder above":                     {one, "sub/..", PEM, nil, "this is the name of a folder"},
		"the folder itself":                    {one, "sub/.", PEM, nil, "this is the name of a folder"},
		"a folder that is missing":             {one, "none/new.pem", PEM, nil, "no such file"},
		"a file as a folder":                   {one, "old.pem/new.pem", PEM, nil, "not a directory"},
		"an unknown format":                    {one, "old.pem", "", nil, "cannot write"},
		"a format that is read only":           {one, "old.pem", XML, nil, "XML is read only"},
		"a password for a format without one":  {one, "old.pem", PEM, []Option{WithPassword("x")}, "PEM has no password"},
		"a name that is too long":              {one, strings.Repeat("x", 256), PEM, nil, "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "old.pem", []byte("what was there"))
			require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
			err := c.store.WriteFile(dir+"/"+c.path, c.f, c.opts...)
			require.ErrorContains(t, err, c.want)
			assert.True(t, strings.HasPrefix(err.Error(), "truststore: "), err)
			assert.Equal(t, []string{"old.pem", "sub"}, names(t, dir))
			assert.Equal(t, "what was there", string(read(t, dir, "old.pem")))
		})
	}
	assert.ErrorContains(t, one.WriteFile("", PEM), "this is the name of a folder")
	assert.ErrorIs(t, one.WriteFile(filepath.Join(t.TempDir(), "none", "x.pem"), PEM), os.ErrNotExist)
}

func TestWriteFileRefusesSymbolicLinksAndTouchesNeitherEnd(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	target := write(t, elsewhere, "target.pem", []byte("what was there"))
	s := New(realCerts(t)[0])
	for name, to := range map[string]string{"a link": target, "a dangling link": filepath.Join(elsewhere, "none"), "a link to a folder": elsewhere, "a link to itself": "link.pem"} {
		t.Run(name, func(t *testing.T) {
			link := filepath.Join(dir, "link.pem")
			require.NoError(t, os.Symlink(to, link))
			defer os.Remove(link)
			err := s.WriteFile(link, PEM)
			assert.EqualError(t, err, "truststore: writing "+link+": this is a symbolic link to "+to+": give the path of the file itself, or remove the link")
			left, err := os.Readlink(link)
			require.NoError(t, err)
			assert.Equal(t, to, left)
		})
	}
	assert.Equal(t, "what was there", string(read(t, elsewhere, "target.pem")))
	assert.Equal(t, []string{"target.pem"}, names(t, elsewhere))

	// In the folders on the way, links are what they are everywhere.
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, "folder")))
	require.NoError(t, s.WriteFile(filepath.Join(dir, "folder", "target.pem"), PEM))
	assertCerts(t, list(s), open(t, target))
}

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path)
	require.NoError(t, err)
	return s
}

func TestWriteFileByManyAtTheSameTimeIsNeverMixed(t *testing.T) {
	certs := realCerts(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "store.pem")
	require.NoError(t, New(certs[0]).WriteFile(path, PEM))
	want := map[string]bool{}
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for i := range 8 {
		s := New(certs[i : i+1+2*i]...)
		data, err := s.Encode(PEM)
		require.NoError(t, err)
		want[string(data)] = true
		writers.Go(func() {
			for range 20 {
				assert.NoError(t, s.WriteFile(path, PEM))
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				data, err := os.ReadFile(path)
				if !assert.NoError(t, err) || !assert.True(t, want[string(data)], "read something that nobody wrote") {
					return
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	assert.Equal(t, []string{"store.pem"}, names(t, dir))
}

// killStores are what the killed process writes, in turn.
func killStores(t testing.TB) (stores []*Store) {
	certs := realCerts(t)
	for i := range 7 {
		stores = append(stores, New(certs[i:i+i*3+1]...))
	}
	return stores
}

// TestKilledWriter is the process that TestAKilledWriterLeavesTheOldFileOrTheNew
// kills. It writes until then, and says after each write how many there were.
func TestKilledWriter(t *testing.T) {
	path := os.Getenv("TRUSTSTORE_CHILD")
	if path == "" {
		return
	}
	stores := killStores(t)
	for i := 1; ; i++ {
		require.NoError(t, stores[i%len(stores)].WriteFile(path, PEM))
		fmt.Println(i)
	}
}

func TestAKilledWriterLeavesTheOldFileOrTheNew(t *testing.T) {
	kills := 20
	switch os.Getenv("THOROUGH") {
	case "":
	case "all":
		kills = 1000
	default:
		kills = 200
	}
	var files []string
	for _, s := range killStores(t) {
		data, err := s.Encode(PEM)
		require.NoError(t, err)
		files = append(files, string(data))
	}
	var mu sync.Mutex
	var during, left int // killed in the middle of a write, with a temporary file left
	var runs sync.WaitGroup
	slots := make(chan struct{}, 4)
	for range kills {
		slots <- struct{}{}
		runs.Go(func() {
			defer func() { <-slots }()
			dir := t.TempDir()
			path := write(t, dir, "store.pem", []byte(files[0]))
			cmd := child(t, "TestKilledWriter", path)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := bufio.NewScanner(out)
			written := 0
			count := func() {
				var err error
				written, err = strconv.Atoi(lines.Text())
				assert.NoError(t, err)
			}
			if rand.IntN(10) > 0 { // else it may die before it writes anything
				lines.Scan()
				count()
			}
			time.Sleep(rand.N(10 * time.Millisecond))
			assert.NoError(t, cmd.Process.Kill())
			for lines.Scan() {
				count()
			}
			assert.Error(t, cmd.Wait())

			got := string(read(t, dir, "store.pem"))
			before, after := files[written%len(files)], files[(written+1)%len(files)]
			assert.True(t, got == before || got == after, "after %d writes, %d bytes that are neither the old file nor the new", written, len(got))
			mu.Lock()
			defer mu.Unlock()
			if got == after {
				during++
			}
			for _, name := range names(t, dir) {
				if name != "store.pem" {
					left++
					assert.Regexp(t, `^\.truststore-[A-Z2-7]{26}\.tmp$`, name)
				}
			}
			assertCerts(t, list(open(t, path)), open(t, dir)) // which the remains do not disturb
		})
	}
	runs.Wait()
	t.Logf("%d kills: %d between the rename and its report, %d with a temporary file left", kills, during, left)
	assert.NotZero(t, during+left, "no kill hit a write: the test proves nothing")
}

// BenchmarkWriteFile reports what atomic and durable costs beside os.WriteFile.
func BenchmarkWriteFile(b *testing.B) {
	s := New(realCerts(b)...)
	dir := b.TempDir()
	var ours, theirs time.Duration
	for b.Loop() {
		start := time.Now()
		err := s.WriteFile(filepath.Join(dir, "ours.pem"), PEM)
		between := time.Now()
		data, e := s.Encode(PEM)
		err = errors.Join(err, e, os.WriteFile(filepath.Join(dir, "theirs.pem"), data, 0o644))
		theirs += time.Since(between)
		ours += between.Sub(start)
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "of-os.WriteFile")
}
