package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
		"go.mod":  "module tiny.example\n\ngo 1.25.7\n\nrequire " + modulePath + " v0.0.0\n\nreplace " + modulePath + " => " + repository + "\n",
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

// go install …@latest refuses a module that replaces or excludes others.
func TestTheModuleCanBeInstalledByVersion(t *testing.T) {
	data, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	assert.NotRegexp(t, regexp.MustCompile(`(?m)^\s*(replace|exclude)\b`), string(data))
	assert.Contains(t, string(data), "golang.org/x/crypto v0.55.0\n")
	_, err = os.Stat("go.mod")
	assert.ErrorIs(t, err, os.ErrNotExist, "a module of its own would need a tag of the library first")
}

// The README shows what --help says.
func TestTheREADMEHasTheHelp(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(readme), "\n## pkio")
	require.True(t, found, "the README has a section on pkio")
	section, _, _ = strings.Cut(section, "\n## ")
	var help strings.Builder
	root := newRoot()
	root.SetOut(&help)
	root.SetArgs([]string{"--help"})
	require.NoError(t, root.Execute())
	assert.Contains(t, section, "```\n"+help.String()+"```\n")
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
