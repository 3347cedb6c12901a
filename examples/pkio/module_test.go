package main

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

const modulePath = "github.com/go-pkioverheid/trust"

// goList runs go list in a folder and returns what it prints, one a line.
func goList(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = dir
	// Whatever is needed was there to build this test.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off", "GOSUMDB=off", "GONOSUMDB=*")
	out, err := cmd.Output()
	var stderr []byte
	if exit, ok := err.(*exec.ExitError); ok {
		stderr = exit.Stderr
	}
	require.NoErrorf(t, err, "go list %v: %s", args, stderr)
	return strings.Fields(string(out))
}

// The tool lies in the library's module, so that go install finds it. Whoever imports
// the library must not get what the tool is built with.
func TestTheToolAddsNothingToWhatImportsTheLibrary(t *testing.T) {
	repository, err := filepath.Abs("../..")
	require.NoError(t, err)
	sums, err := os.ReadFile(filepath.Join(repository, "go.sum"))
	require.NoError(t, err)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module tiny.example\n\ngo 1.26.0\n\nrequire " + modulePath + " v0.0.0\n\nreplace " + modulePath + " => " + repository + "\n",
		"go.sum":  string(sums),
		"main.go": "package main\n\nimport _ \"" + modulePath + "/pkioverheid\"\nimport _ \"" + modulePath + "/pkioverheid/inventory\"\nimport _ \"" + modulePath + "/pkioverheid/logius\"\nimport _ \"" + modulePath + "/chain/crl\"\n\nfunc main() {}\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}

	const modules = "{{with .Module}}{{.Path}}{{end}}"
	tools := goList(t, repository, "-deps", "-f", modules, "./examples/pkio")
	users := goList(t, dir, "-mod=mod", "-deps", "-f", modules, ".")
	assert.Contains(t, tools, "github.com/spf13/cobra")
	assert.Contains(t, tools, "github.com/schollz/progressbar/v3")
	allowed := []string{"tiny.example", modulePath, "golang.org/x/crypto", "github.com/smallstep/pkcs7",
		"software.sslmate.com/src/go-pkcs12", "github.com/pavlo-v-chernykh/keystore-go/v4"}
	assert.Contains(t, users, modulePath)
	for _, path := range users {
		assert.Contains(t, allowed, path)
	}
}

// go install …@latest takes the tool from a module proxy, as users get it.
func TestTheToolCanBeInstalled(t *testing.T) {
	slow(t)
	const version = "v0.0.1"
	repository, err := filepath.Abs("../..")
	require.NoError(t, err)
	proxy := t.TempDir()
	dir := filepath.Join(proxy, filepath.FromSlash(modulePath), "@v")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	mod, err := os.ReadFile(filepath.Join(repository, "go.mod"))
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"list":            []byte(version + "\n"),
		version + ".info": []byte(`{"Version":"` + version + `"}`),
		version + ".mod":  mod,
		version + ".zip":  zipped(t, repository, modulePath+"@"+version+"/"),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}

	// All else comes from what was downloaded to build this test.
	downloaded := filepath.Join(goEnv(t, "GOMODCACHE"), "cache", "download")
	cache, bin := filepath.Join(t.TempDir(), "modules"), t.TempDir()
	cmd := exec.Command("go", "install", "-modcacherw", modulePath+"/examples/pkio@latest")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOPROXY="+fileURL(proxy)+","+fileURL(downloaded)+",off", "GOSUMDB=off", "GOFLAGS=", "GOWORK=off", "GOMODCACHE="+cache, "GOBIN="+bin)
	out, err := cmd.CombinedOutput()
	require.NoErrorf(t, err, "%s", out)
	out, err = exec.Command(filepath.Join(bin, "pkio"), "--version").CombinedOutput()
	require.NoErrorf(t, err, "%s", out)
	assert.Equal(t, "pkio version "+version+"\nknows the CAs of PKIoverheid as of "+pkioverheid.EmbeddedVersion()+"\n", string(out))
}

func fileURL(path string) string { return "file://" + filepath.ToSlash(path) }

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

// zipped is the module as a proxy has it: without the modules in its folders.
func zipped(t *testing.T, dir, prefix string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(path, "go.mod"))
			if path != dir && (nested == nil || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		w, err := z.Create(prefix + filepath.ToSlash(name))
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}))
	require.NoError(t, z.Close())
	return buf.Bytes()
}

// Which it does not do with replace directives, nor with a module for the tool alone
// as long as the library has no tag.
func TestTheModuleStandsAlone(t *testing.T) {
	data, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	assert.NotRegexp(t, regexp.MustCompile(`(?m)^\s*(replace|exclude)\b`), string(data))
	assert.Contains(t, string(data), "golang.org/x/crypto v0.55.0\n")
	_, err = os.Stat("go.mod")
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// The README shows what --help says.
func TestTheREADMEHasTheHelp(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var help strings.Builder
	root := newRoot()
	root.SetOut(&help)
	root.SetArgs([]string{"--help"})
	require.NoError(t, root.Execute())
	assert.Contains(t, string(readme), "```\n"+help.String()+"```\n")
}

// Each command teaches: what it does, and an example that it accepts.
func TestEveryCommandHasExamplesThatItTakes(t *testing.T) {
	for _, cmd := range newRoot().Commands() {
		if cmd.Hidden {
			continue
		}
		t.Run(cmd.Name(), func(t *testing.T) {
			assert.Greater(t, len(cmd.Long), 100)
			lines := regexp.MustCompile(`(?m)^  pkio `+cmd.Name()+`\b(.*)$`).FindAllStringSubmatch(cmd.Example, -1)
			require.NotEmpty(t, lines)
			for _, line := range lines {
				words, _, _ := strings.Cut(line[1], "     ") // and what it is for
				words, _, _ = strings.Cut(words, " > ")
				words, _, _ = strings.Cut(words, " | ")
				fresh, _, err := newRoot().Find([]string{cmd.Name()})
				require.NoError(t, err)
				require.NoError(t, fresh.ParseFlags(strings.Fields(words)), line[0])
				assert.NoError(t, fresh.Args(fresh, fresh.Flags().Args()), line[0])
			}
		})
	}
}
