package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Prism, the runner that is used by default, starts the workers from the program itself.
func TestMain(m *testing.M) {
	if args := os.Getenv("BEAM_RUN"); args != "" {
		os.Args = append([]string{os.Args[0]}, filepath.SplitList(args)...)
		main()
		return
	}
	os.Exit(m.Run())
}

// beamRun runs the program over the files that match.
func beamRun(t testing.TB, patterns ...string) string {
	t.Helper()
	out, _ := beamRunOn(t, nil, patterns...)
	return out
}

// beamRunOn runs it under another program, and returns the CPU time that it took.
func beamRunOn(t testing.TB, under []string, patterns ...string) (out string, took time.Duration) {
	t.Helper()
	out = filepath.Join(t.TempDir(), "run.json")
	command := append(slices.Clone(under), os.Args[0])
	cmd := exec.Command(command[0], command[1:]...)
	list := "--out=" + out
	for _, p := range patterns {
		list += string(filepath.ListSeparator) + p
	}
	cmd.Env = append(os.Environ(), "BEAM_RUN="+list)
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, string(said))
	return out, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// pkio builds the tool and returns what runs it.
func pkio(t testing.TB) func(args ...string) (status int, said string) {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "pkio")
	build := exec.Command("go", "build", "-o", bin, "./examples/pkio")
	build.Dir = filepath.Join("..", "..")
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))
	return func(args ...string) (int, string) {
		cmd := exec.Command(bin, args...)
		said, err := cmd.CombinedOutput()
		require.NotNil(t, cmd.ProcessState, err)
		return cmd.ProcessState.ExitCode(), string(said)
	}
}

// finding is a certificate as far as it must be the same in both.
type finding struct {
	SHA256, Do, Deadline, Name, Subject, Issuer, Serial, KeyType, Hierarchy, Role, TSP, OIN, Status, State, Replacement, Supplier, Advice string
	CA, Overdue                                                                                                                           bool
	Places                                                                                                                                []struct{ Path, Place, Format, Use, Party, State string }
}

func findings(t testing.TB, path string) (all []finding, notRead []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var run struct {
		Certificates []finding
		NotRead      []struct{ Path string }
	}
	require.NoError(t, json.Unmarshal(data, &run))
	for _, c := range run.Certificates {
		slices.SortFunc(c.Places, func(a, b struct{ Path, Place, Format, Use, Party, State string }) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Place, b.Place))
		})
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b finding) int { return cmp.Compare(a.SHA256, b.SHA256) })
	for _, n := range run.NotRead {
		notRead = append(notRead, n.Path)
	}
	slices.Sort(notRead)
	return all, notRead
}

// certificatesOf are the certificates as they are in the JSON, but for the name of the target.
func certificatesOf(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var run struct {
		Run          struct{ Targets []string }
		Certificates json.RawMessage
	}
	require.NoError(t, json.Unmarshal(data, &run))
	require.Len(t, run.Run.Targets, 1)
	target, err := json.Marshal(run.Run.Targets[0])
	require.NoError(t, err)
	return strings.ReplaceAll(string(run.Certificates), `"target":`+string(target), `"target":""`)
}

// The README names flags of Beam for engines that are not here.
func TestTheReadmeNamesFlagsThatExist(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	flags := regexp.MustCompile(`--([a-z]+(?:_[a-z]+)*)=`).FindAllStringSubmatch(string(text), -1)
	assert.Greater(t, len(flags), 8)
	for _, f := range flags {
		assert.True(t, f[1] == "out" || flag.Lookup(f[1]) != nil, f[1])
	}
}

// estate is a folder with certificates in several formats, each twice, and a broken file.
func estate(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	var certs []byte
	err := filepath.WalkDir(filepath.Join("..", "..", "pkioverheid", "certs"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		certs = append(certs, data...)
		return os.WriteFile(filepath.Join(dir, filepath.Base(filepath.Dir(path))+"-"+d.Name()), data, 0o600)
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "all.pem"), certs, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cut.pem"), certs[:900], 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("nothing here"), 0o600))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	return dir
}

func TestFindingsAreThoseOfPkio(t *testing.T) {
	dir := estate(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "folder", "damaged.p12"), []byte("\x30\x82\x01\x00\x02\x01\x03"), 0o600))
	got := beamRun(t, filepath.Join(dir, "**"))
	want := filepath.Join(t.TempDir(), "want.json")
	run := pkio(t)
	status, said := run("audit", dir, "--quiet", "--save", want)
	assert.Equal(t, 1, status, said)
	gotAll, gotNot := findings(t, got)
	wantAll, wantNot := findings(t, want)
	assert.Equal(t, wantAll, gotAll)
	assert.Equal(t, wantNot, gotNot)
	assert.Greater(t, len(gotAll), 20)
	assert.NotEmpty(t, gotNot, "the file that is cut off is a finding, not the end")

	// Not only these fields: they have all that the other has.
	assert.JSONEq(t, certificatesOf(t, want), certificatesOf(t, got))

	status, said = run("report", got, "--quiet")
	assert.Equal(t, 1, status, said)
}

func TestNoPatternIsPassedOverSilently(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "real", "below", "a.pem")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Symlink("real", filepath.Join(dir, "link")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "empty"), 0o700))
	for _, test := range []struct{ name, pattern, want string }{
		{"a folder", "real/**", "real/below/a.pem"},
		{"a link to a folder", "link/**", "link/below/a.pem"},
		{"a folder that is not there", "missing/**", "missing/"},
		{"a pattern that matches nothing", "*.crt", "*.crt"},
		{"an empty folder", "empty/**", ""},
	} {
		paths, err := list(t.Context(), dir+"/"+test.pattern)
		require.NoError(t, err, test.name)
		if test.want == "" {
			assert.Empty(t, paths, test.name)
		} else {
			assert.Equal(t, []string{dir + "/" + test.want}, paths, test.name)
		}
	}
	folder, all := folderOf("/**")
	assert.True(t, all)
	assert.Equal(t, "/", folder)
	_, notRead := findings(t, beamRun(t, filepath.Join(dir, "*.crt")))
	assert.Equal(t, []string{filepath.Join(dir, "*.crt")}, notRead)
}

// The whole path of a fleet, from Beam: a hundred folders, a report in Dutch, what changed
// when one certificate was replaced and one of G3 appeared, and the metrics of which
// PKIoverheidCertificateOverdue in examples/pkio/fleet/alerts.yml fires.
func TestTheWholePathOfAFleet(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	certs := filepath.Join("..", "..", "pkioverheid", "certs")
	place := func(from, machine, name string) {
		files, err := filepath.Glob(filepath.Join(certs, from))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		data, err := os.ReadFile(files[len(files)-1])
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Join(dir, machine), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, machine, name), data, 0o600))
	}
	for i := range 100 {
		place("private-g1/*", fmt.Sprintf("web%d", i), "service.pem")
	}
	before := beamRun(t, filepath.Join(dir, "**"))
	place("private-g4-tls/*", "web7", "service.pem")
	place("g3/digidentity-bv-*-2018.pem", "web9", "new.pem")
	after := beamRun(t, filepath.Join(dir, "**"))

	run := pkio(t)
	page, metrics := filepath.Join(out, "report.html"), filepath.Join(out, "fleet.prom")
	status, said := run("report", before, "--lang", "nl", "--html", page)
	assert.Equal(t, 0, status, said)
	html, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Contains(t, string(html), `<html lang="nl"`)
	assert.Contains(t, said, "1 certificaat op 100 plaatsen")

	status, said = run("diff", before, after)
	assert.Equal(t, 1, status, said)
	assert.Regexp(t, `(?m)^came: .* \(G3\), now, by 2020-12-31$`, said)
	assert.Contains(t, said, filepath.Join(dir, "web9", "new.pem"))
	assert.Regexp(t, `(?m)^ +gone from .*web7/service.pem`, said)

	status, said = run("report", after, "--quiet", "--prometheus", metrics)
	assert.Equal(t, 1, status, said)
	text, err := os.ReadFile(metrics)
	require.NoError(t, err)
	overdue := regexp.MustCompile(`(?m)^pkio_certificate_deadline_timestamp_seconds\{.*hierarchy="g3".*web9/new.pem.* (\d+)$`).FindSubmatch(text)
	require.NotNil(t, overdue, string(text))
	assert.Equal(t, "1609459199", string(overdue[1]), "the end of 2020")
}

// Whoever reads while it is written has what was there, and who stops it leaves no half.
func TestARunIsWrittenWholeOrNotAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	require.NoError(t, os.WriteFile(path, []byte("before"), 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, (&writeRun{Out: path}).ProcessElement(t.Context(), 0, func(*[]byte) bool { return false }))
	was, err := io.ReadAll(f)
	require.NoError(t, err)
	assert.Equal(t, "before", string(was))
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, json.Valid(now), string(now))
}

func TestARunIsNotWrittenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	require.NoError(t, os.WriteFile(path, []byte("mine"), 0o600))
	assert.ErrorContains(t, start(path, []string{"x"}), "is there already")
	assert.ErrorContains(t, start("", nil), "usage")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(data))
}
