package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xeipuuv/gojsonschema"
)

// schema validates against what the module of cyclonedx-go carries.
func schema(t *testing.T) *gojsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	require.NoError(t, err)
	file := func(name string) gojsonschema.JSONLoader {
		data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "schema", name))
		require.NoError(t, err)
		return gojsonschema.NewBytesLoader(data)
	}
	loader := gojsonschema.NewSchemaLoader()
	// The two that it refers to.
	require.NoError(t, loader.AddSchema("http://cyclonedx.org/schema/spdx.schema.json", file("spdx.schema.json")))
	require.NoError(t, loader.AddSchema("http://cyclonedx.org/schema/jsf-0.82.schema.json", file("jsf-0.82.schemax.json")))
	s, err := loader.Compile(file("bom-1.6.schema.json"))
	require.NoError(t, err)
	return s
}

// auditOf runs pkio over a folder and returns its run.
func auditOf(t *testing.T, folder string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "run.json")
	cmd := exec.Command("go", "run", "./examples/pkio", "audit", folder, "--quiet", "--save", out)
	cmd.Dir = filepath.Join("..", "..")
	report, err := cmd.CombinedOutput()
	_, statErr := os.Stat(out)
	require.NoError(t, statErr, "%v: %s", err, report)
	return out
}

func TestABillOfMaterialsFitsTheSchema(t *testing.T) {
	certs, err := filepath.Abs(filepath.Join("..", "..", "pkioverheid", "certs"))
	require.NoError(t, err)
	s := schema(t)
	path := auditOf(t, certs)

	var out, again bytes.Buffer
	require.NoError(t, run([]string{path}, nil, &out))
	result, err := s.Validate(gojsonschema.NewBytesLoader(out.Bytes()))
	require.NoError(t, err)
	for _, e := range result.Errors() {
		t.Error(e)
	}
	assert.Equal(t, 1, strings.Count(out.String(), `"type": "application"`), "the tool: certificates are assets")
	for _, want := range []string{`"specVersion": "1.6"`, `"type": "cryptographic-asset"`, `"assetType": "certificate"`, "Staat der Nederlanden Private Root CA - G1", `"location": "` + certs} {
		assert.Contains(t, out.String(), want)
	}
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, run([]string{"-"}, f, &again))
	assert.Equal(t, out.String(), again.String(), "the same run gives the same bill")

	// That the schema refuses anything.
	result, err = s.Validate(gojsonschema.NewStringLoader(strings.Replace(out.String(), `"assetType": "certificate"`, `"assetType": "paper"`, 1)))
	require.NoError(t, err)
	assert.False(t, result.Valid())
}

func TestWhatIsNotARunIsRefused(t *testing.T) {
	for text, why := range map[string]string{
		"":               "it is not a run of pkio",
		"[]":             "it is not a run of pkio",
		"{}":             "it is of version 0",
		`{"version": 2}`: "it is of version 2",
	} {
		var out bytes.Buffer
		assert.ErrorContains(t, run(nil, strings.NewReader(text), &out), why)
		assert.Empty(t, out.String())
	}
}

// The serial number of the bill is that of the bytes, however they come.
func TestTheSameRunHasTheSameSerialNumberFromAPipe(t *testing.T) {
	const text = `{"version": 1, "run": {"machine": "web01"}, "certificates": [
{"sha256": "aa", "name": "x", "places": [{"machine": "web02", "target": "/etc", "path": "/etc/x.pem"}]}]}` + "\n"
	serial := regexp.MustCompile(`"serialNumber": "[^"]*"`)
	var whole, piped bytes.Buffer
	require.NoError(t, run(nil, strings.NewReader(text), &whole))
	require.NoError(t, run(nil, iotest.OneByteReader(strings.NewReader(text)), &piped))
	assert.NotEmpty(t, serial.FindString(whole.String()))
	assert.Equal(t, serial.FindString(whole.String()), serial.FindString(piped.String()))
	assert.Contains(t, whole.String(), `"location": "web02: /etc/x.pem"`)
	assert.Contains(t, whole.String(), `"name": "public key"`)
	assert.ErrorContains(t, run(nil, strings.NewReader(text+text), &whole), "more follows it")
}
