package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
)

func fleetFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("fleet", name))
	require.NoError(t, err)
	return data
}

// documents parses all documents of a YAML file.
func documents(t *testing.T, name string) (all []map[string]any) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(fleetFile(t, name)))
	for {
		var doc any
		if err := decoder.Decode(&doc); err != nil {
			require.Equal(t, "EOF", err.Error())
			return all
		}
		switch doc := doc.(type) {
		case map[string]any:
			all = append(all, doc)
		case []any: // a playbook
			for _, play := range doc {
				all = append(all, play.(map[string]any))
			}
		}
	}
}

// unit parses a systemd unit: its settings by section and name.
func unit(t *testing.T, name string) map[string]string {
	t.Helper()
	settings, section := map[string]string{}, ""
	lines := bufio.NewScanner(bytes.NewReader(fleetFile(t, name)))
	for lines.Scan() {
		switch line := lines.Text(); {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		default:
			key, value, ok := strings.Cut(line, "=")
			require.True(t, ok, line)
			settings[section+"."+key] = value
		}
	}
	return settings
}

func TestFilesForAFleetParse(t *testing.T) {
	service, timer := unit(t, "pkio-audit.service"), unit(t, "pkio-audit.timer")
	assert.Equal(t, "oneshot", service["Service.Type"])
	assert.Equal(t, "1", service["Service.SuccessExitStatus"])
	assert.NotEmpty(t, timer["Timer.OnCalendar"])
	assert.Equal(t, "timers.target", timer["Install.WantedBy"])

	plays := documents(t, "ansible.yml")
	require.Len(t, plays, 1)
	assert.Len(t, plays[0]["tasks"], 4)

	var kinds []string
	for _, doc := range documents(t, "cronjob.yaml") {
		kinds = append(kinds, doc["kind"].(string))
		if doc["kind"] == "ClusterRole" {
			assert.Equal(t, []any{map[string]any{"apiGroups": []any{""}, "resources": []any{"secrets", "configmaps"}, "verbs": []any{"list"}}}, doc["rules"], "the least rights")
		}
	}
	assert.Equal(t, []string{"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "CronJob"}, kinds)

	require.Len(t, documents(t, "alerts.yml"), 1)
	var panel struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	require.NoError(t, json.Unmarshal(fleetFile(t, "grafana.json"), &panel))
	require.NotEmpty(t, panel.Panels)

	if path, err := exec.LookPath("systemd-analyze"); err == nil {
		calendar, err := exec.Command(path, "calendar", timer["Timer.OnCalendar"]).CombinedOutput()
		assert.NoError(t, err, string(calendar))
	}
}

// Every flag that these files give to pkio is one of its own.
func TestFilesForAFleetUseFlagsThatExist(t *testing.T) {
	used := 0
	for _, name := range []string{"pkio-audit.service", "cronjob.yaml", "ansible.yml"} {
		for _, call := range regexp.MustCompile(`pkio (?:audit|report)[^"\n]*`).FindAllString(string(fleetFile(t, name)), -1) {
			command, _, err := newRoot().Find(strings.Fields(call)[1:2])
			require.NoError(t, err)
			for _, flag := range regexp.MustCompile(`--([a-z-]+)`).FindAllStringSubmatch(call, -1) {
				used++
				assert.NotNil(t, command.Flags().Lookup(flag[1]), "%s: --%s", name, flag[1])
			}
		}
	}
	assert.GreaterOrEqual(t, used, 8)
}

// Every metric that the alerts and the panel ask for is one that pkio writes.
func TestAlertsAskForMetricsThatPkioWrites(t *testing.T) {
	for _, name := range []string{"alerts.yml", "grafana.json"} {
		for _, metric := range regexp.MustCompile(`pkio_[a-z_]+`).FindAllString(string(fleetFile(t, name)), -1) {
			assert.Contains(t, metrics, metric, name)
		}
	}
}

// promtool of Prometheus takes the metrics, and the alert fires for a G3 certificate and
// not for one that is in order.
func TestAlertsFireForWhatPkioWrites(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("promtool is not installed: CI installs it")
		}
		t.Skip("promtool is not installed")
	}
	at := time.Date(2026, time.November, 28, 0, 0, 0, 0, time.UTC)
	a := &audit{Audit: model.Audit{Run: auditRun{Start: at}, Certificates: []*certificate{
		{SHA256: strings.Repeat("a1", 32), Name: `old "service"`, Hierarchy: "g3", Do: classNow, Deadline: "2020-12-31", NotAfter: at.AddDate(1, 0, 0), Places: []place{{Path: `/etc/a\b.pem`, Use: "server"}}},
		{SHA256: strings.Repeat("b2", 32), Name: "soon", Hierarchy: "private-g1", Do: classSoon, Deadline: "2027-01-31", NotAfter: at.AddDate(0, 2, 0), Places: []place{{Target: "host:443"}}},
		{SHA256: strings.Repeat("c3", 32), Name: "fine", Hierarchy: "private-g4-tls", Do: classOK, Deadline: "2029-01-31", NotAfter: at.AddDate(3, 0, 0), Places: []place{{Target: "host:444"}}},
		{SHA256: strings.Repeat("d4", 32), Name: "known", Hierarchy: "g3", Do: classNow, Deadline: "2020-12-31", Accepted: &acceptance{}, NotAfter: at, Places: []place{{Target: "host:445"}}},
		{SHA256: strings.Repeat("e5", 32), Name: "revoked", Hierarchy: "private-g1", Do: classNow, NotAfter: at.AddDate(1, 0, 0), Places: []place{{Target: "host:446"}}},
	}}}
	text := a.prometheus()
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = bytes.NewReader(text)
	out, err := check.CombinedOutput()
	require.NoError(t, err, string(out))

	dir := t.TempDir()
	rules, err := filepath.Abs(filepath.Join("fleet", "alerts.yml"))
	require.NoError(t, err)
	const day = 24 * time.Hour
	days := int(at.Unix() / int64(day/time.Second))
	type series struct{ Series, Values string }
	var all []series
	for line := range strings.Lines(string(text)) {
		if line[0] != '#' {
			i := strings.LastIndex(line, " ")
			all = append(all, series{line[:i], strings.TrimSpace(line[i:]) + "+0x2"})
		}
	}
	test := map[string]any{"rule_files": []string{rules}, "evaluation_interval": fmt.Sprintf("%dd", days), "tests": []any{map[string]any{
		"interval": fmt.Sprintf("%dd", days), "input_series": all,
		"promql_expr_test": []any{
			map[string]any{"expr": `count(ALERTS{alertname="PKIoverheidCertificateOverdue",name="old \"service\"",place="/etc/a\\b.pem"})`, "eval_time": fmt.Sprintf("%dd", days), "exp_samples": []any{map[string]any{"labels": "{}", "value": 1}}},
			map[string]any{"expr": `count(ALERTS{alertname="PKIoverheidCertificateOverdue",name="revoked"})`, "eval_time": fmt.Sprintf("%dd", days), "exp_samples": []any{map[string]any{"labels": "{}", "value": 1}}},
			map[string]any{"expr": `count(ALERTS{alertname="PKIoverheidCertificateOverdue"})`, "eval_time": fmt.Sprintf("%dd", days), "exp_samples": []any{map[string]any{"labels": "{}", "value": 2}}},
			map[string]any{"expr": `count(ALERTS{alertname="PKIoverheidCertificateEnding",name="soon"})`, "eval_time": fmt.Sprintf("%dd", days), "exp_samples": []any{map[string]any{"labels": "{}", "value": 1}}},
			map[string]any{"expr": `count(ALERTS)`, "eval_time": fmt.Sprintf("%dd", days), "exp_samples": []any{map[string]any{"labels": "{}", "value": 3}}},
		},
	}}}
	data, err := yaml.Marshal(test)
	require.NoError(t, err)
	path := filepath.Join(dir, "test.yml")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	out, err = exec.Command(promtool, "test", "rules", path).CombinedOutput()
	assert.NoError(t, err, string(out))
}

// A run that was stopped replaces no whole one, and itself is replaced.
func TestASavedRunThatWasStoppedReplacesNoWholeOne(t *testing.T) {
	whole := &audit{Audit: model.Audit{Version: formatVersion, Run: auditRun{Machine: "web01", Targets: []string{`a","partial":true`}}}}
	stopped := &audit{Audit: model.Audit{Version: formatVersion, Run: auditRun{Machine: "web01", Partial: true}}}
	assert.Equal(t, aRun, kindOf(whole.json()))
	assert.False(t, isPartial(whole.json()), "a name is not a mark")
	assert.True(t, isPartial(stopped.json()))
	out := outFile{path: "run.json", kind: aRun, partial: true}
	assert.ErrorContains(t, out.mayReplace(existing{kind: aRun}, aReport), "this one was stopped")
	assert.NoError(t, out.mayReplace(existing{kind: aRun, partial: true}, aReport))
}

// ansible_facts['hostname'] ends at the first dot, and %H of systemd does not.
func TestAnsibleFetchesTheRunThatTheUnitSaves(t *testing.T) {
	assert.Contains(t, string(fleetFile(t, "pkio-audit.service")), "--save /var/lib/pkio/%H.json")
	assert.Contains(t, string(fleetFile(t, "ansible.yml")), `"/var/lib/pkio/{{ ansible_facts['nodename'] }}.json"`)
}

// A series that is there twice makes node_exporter refuse the whole file, and a run may be
// of somebody who wants that.
func TestMetricsHaveEachSeriesOnce(t *testing.T) {
	one := strings.Repeat("a1", 32)
	places := make([]place, maxSeries+5)
	for i := range places {
		places[i].Path = fmt.Sprint(i)
	}
	a := &audit{Audit: model.Audit{Certificates: []*certificate{
		{SHA256: one, Name: "x", Do: classNow, Deadline: "2020-12-31", Places: []place{{Path: "a"}, {Path: "a"}}},
		{SHA256: one[:62] + "ff", Name: "x", Do: classNow, Deadline: "2020-12-31", Places: []place{{Path: "a"}}},
		{SHA256: strings.Repeat("b2", 32), Name: "y", Do: classLater, Places: places},
	}}}
	lines := strings.Split(string(a.prometheus()), "\n")
	states := slices.DeleteFunc(slices.Clone(lines), func(s string) bool { return !strings.HasPrefix(s, "pkio_certificate_state{") })
	assert.Len(t, states, maxSeries)
	slices.Sort(lines)
	assert.Len(t, lines, len(slices.Compact(slices.Clone(lines))))
}

// The states together are all certificates of PKIoverheid, CAs among them.
func TestMetricsCountEachCertificateOnce(t *testing.T) {
	found := auditOf(t, day(2026, 11, 23), filepath.Join("..", "..", "pkioverheid", "certs"))
	sum := 0
	for _, m := range regexp.MustCompile(`(?m)^pkio_certificates\{state="[a-z_]+"\} (\d+)$`).FindAllStringSubmatch(string(found.prometheus()), -1) {
		n, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		sum += n
	}
	assert.Equal(t, len(found.Certificates), sum)
}

// The alerts name the machine that has the certificate, which in the metrics of a report is
// not the one that scrapes them.
func TestAlertsNameTheMachine(t *testing.T) {
	var alerts struct {
		Groups []struct {
			Rules []struct{ Annotations map[string]string }
		}
	}
	require.NoError(t, yaml.Unmarshal(fleetFile(t, "alerts.yml"), &alerts))
	for _, rule := range alerts.Groups[0].Rules[:2] {
		summary, err := template.New("").Parse("{{ $labels := .Labels }}" + rule.Annotations["summary"])
		require.NoError(t, err)
		for want, labels := range map[string]map[string]string{
			" on web7 ":      {"name": "x", "instance": "collector", "machine": "web7"},
			" on web8:9100 ": {"name": "x", "instance": "web8:9100"},
		} {
			var text strings.Builder
			require.NoError(t, summary.Execute(&text, map[string]any{"Labels": labels}))
			assert.Contains(t, text.String(), want)
		}
	}
}

// Somebody else may have written a run: no value of it fills the memory, and together they
// may be as many as they are.
func TestAValueOfARunIsBounded(t *testing.T) {
	values := func(text string, most int) (n int, err error) {
		dec := newRunDecoder(strings.NewReader(text), most)
		err = eachOf(dec, func(*string) error { n++; return nil })
		return n, err
	}
	small, large := `"`+strings.Repeat("a", 5000)+`"`, `"`+strings.Repeat("a", 100_000)+`"`
	n, err := values("["+strings.Repeat(small+",", 99)+small+"]", 20_000)
	require.NoError(t, err)
	assert.Equal(t, 100, n)
	n, err = values("["+small+","+large+"]", 20_000)
	assert.ErrorIs(t, err, errTooLarge)
	assert.Equal(t, 1, n)
	_, err = newRunDecoder(strings.NewReader(large), 20_000).Token()
	assert.ErrorIs(t, err, errTooLarge)
	assert.Equal(t, errTooLarge.Error(), problemOf(err))
}
