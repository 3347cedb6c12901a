package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What pkio writes for Prometheus, with Prometheus' own parser. The test is in this module
// because pkio does not depend on it.
func TestTheMetricsOfPkioParse(t *testing.T) {
	out := filepath.Join(t.TempDir(), "pkio.prom")
	cmd := exec.Command("go", "run", "./examples/pkio", "audit", "pkioverheid/certs", "--quiet", "--prometheus", out)
	cmd.Dir = filepath.Join("..", "..")
	said, err := cmd.CombinedOutput()
	f, openErr := os.Open(out)
	require.NoError(t, openErr, "%v: %s", err, said)
	defer f.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(f)
	require.NoError(t, err)
	for _, name := range []string{"pkio_certificate_deadline_timestamp_seconds", "pkio_certificate_not_after_timestamp_seconds",
		"pkio_certificate_state", "pkio_certificates", "pkio_not_read", "pkio_run_timestamp_seconds"} {
		assert.Contains(t, families, name)
	}
	labels := map[string]bool{}
	for _, l := range families["pkio_certificate_state"].GetMetric()[0].GetLabel() {
		labels[l.GetName()] = true
	}
	assert.Equal(t, map[string]bool{"sha256": true, "name": true, "hierarchy": true, "use": true, "place": true, "state": true}, labels)
}
