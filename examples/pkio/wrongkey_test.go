package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// someKey is a private key in PEM, of no certificate here.
func someKey(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return keyOf(t, key)
}

func keyOf(t testing.TB, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// stranger is a certificate that has nothing to do with PKIoverheid.
func stranger(t testing.TB) *x509.Certificate {
	t.Helper()
	key := underG1Key(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "stranger.example"}, NotBefore: day(2020, 1, 1), NotAfter: day(2030, 1, 1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

func writeFiles(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
}

// everyOutput is an audit as each of the outputs has it.
func everyOutput(t testing.TB, found *audit) (table, lines, csv, json, page, metrics string) {
	t.Helper()
	var rows, text, cells, object, html bytes.Buffer
	require.NoError(t, found.writeTable(&rows, tableOptions{width: 80}))
	require.NoError(t, found.writeTable(&text, tableOptions{}))
	require.NoError(t, found.writeCSV(&cells))
	require.NoError(t, found.writeJSON(&object))
	require.NoError(t, found.writeReport(&html))
	keepsTheSchema(t, object.Bytes())
	return rows.String(), text.String(), cells.String(), object.String(), html.String(), string(found.prometheus())
}

// No server works with a certificate and the key of another, however long it is good: that
// is for now, where it is so. What is to be done about the certificate itself stays.
func TestTheKeyOfAnotherIsForNow(t *testing.T) {
	leaf := pemOf(underG1(t, 1, day(2028, 9, 1))...)
	dir := t.TempDir()
	t.Chdir(dir)
	copies := map[string]string{"nginx/www.pem": leaf}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
		copies["copies/"+name+"/long-enough-for-a-list-of-places-to-leave-some-out.pem"] = leaf
	}
	writeFiles(t, dir, copies)
	at := day(2026, 11, 23)
	before := auditOf(t, at, "copies", "nginx")
	assert.False(t, before.urgent(classNow))
	require.Equal(t, classLater, before.Certificates[0].Do)

	writeFiles(t, dir, map[string]string{"nginx/www.key": someKey(t)})
	found := auditOf(t, at, "copies", "nginx")
	assert.True(t, found.urgent(classNow), "--fail-on now")
	assert.Equal(t, classNow, found.Certificates[0].Do)
	assert.Equal(t, 1, found.Summary.Now)
	table, lines, csv, json, page, metrics := everyOutput(t, found)

	assert.Regexp(t, `\nnow +Private G1 .*system0.example`, table)
	assert.Contains(t, table, "       nginx/www.pem, line 1\n         The private key beside it is that of another certificate.\n")
	assert.Contains(t, table, "- now: Put the right key beside the certificate, or the certificate of the key.\n  1 certificate in 1 file or server: system0.example.\n")
	assert.Contains(t, table, "- later, by 2027-12-31: Ask DigiCert for certificates under Private G4 TLS.\n  1 certificate in 10 files or servers: system0.example.\n")
	assert.Contains(t, table, "\n1 certificate in 10 places: 1 beside the key of another certificate.\n")
	assert.Regexp(t, `\nnow .*nginx/www.pem, line 1; The private key beside it is that of another certificate\.`, lines)
	assert.Regexp(t, `\nlater +2027-12-31 .*copies/a/`, lines)
	assert.Contains(t, csv, "\nnow,,,,private-g1,")
	assert.Contains(t, json, `"do":"now","name":"system0.example"`)
	assert.Contains(t, json, `"otherwise":{"do":"later","deadline":"2027-12-31","status":"ending",`)
	assert.Contains(t, page, ">nginx/www.pem, line 1: The private key beside it is that of another certificate.", "one of many places")
	assert.Contains(t, page, "<strong>Put the right key beside the certificate, or the certificate of the key</strong></p><p class=\"when\">Now</p>")
	assert.Contains(t, page, "<li>One certificate is beside the key of another: system0.example, in 1 file or server.</li>")
	assert.Contains(t, page, "put right the key of: system0.example (line 1); replace: system0.example (line 1)")
	assert.Contains(t, page, `<time class="when" datetime="2026-11-23">`)
	assert.Contains(t, page, "1 later", "on the timeline it is what itself is")
	assert.Regexp(t, `pkio_certificate_state{[^}]*place="nginx/www.pem",state="now"} 1`, metrics)
	assert.Regexp(t, `pkio_certificate_state{[^}]*place="copies/a/[^}]*",state="later"} 1`, metrics)
	assert.Regexp(t, `pkio_certificates{state="now"} 1`, metrics)

	d, worse := compareRuns(english, before, found)
	require.Len(t, d.Changed, 1)
	assert.True(t, worse)
	assert.Contains(t, d.Changed[0].What, "what to do was later, is now")
	assert.Contains(t, d.Changed[0].What, "nginx/www.pem, line 1: The private key beside it is that of another certificate.")
	d, worse = compareRuns(english, found, before)
	require.Len(t, d.Changed, 1)
	assert.False(t, worse)
	assert.Contains(t, d.Changed[0].What, "no longer: nginx/www.pem, line 1: The private key beside it is that of another certificate.")

	found.shown.lang = dutch
	_, _, _, _, page, _ = everyOutput(t, found)
	assert.Contains(t, page, "Zet de juiste sleutel naast het certificaat, of het certificaat dat bij de sleutel hoort")
}

// A certificate that is to be replaced now needs another key anyway; what is in order, or
// of others, does not work with the wrong one either; and a key among several is not wrong
// where one of them is right.
func TestWhatTheKeyOfAnotherChanges(t *testing.T) {
	at := day(2026, 11, 23)
	ended := pemOf(underG1(t, 1, day(2026, 1, 1))...)
	foreign := pemOf(stranger(t))
	later := underG1(t, 1, day(2028, 9, 1))
	for name, test := range map[string]struct {
		file   string
		do     class
		status string
	}{
		"ended":            {ended + someKey(t), classNow, "ended"},
		"of others":        {foreign + someKey(t), classNow, "wrong key"},
		"good for now":     {pemOf(later...) + someKey(t), classNow, "wrong key"},
		"one of two keys":  {pemOf(later...) + keyOf(t, underG1Key(t)) + someKey(t), classLater, "ending"},
		"two keys of none": {pemOf(later...) + someKey(t) + someKey(t), classNow, "wrong key"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "www.pem")
			require.NoError(t, os.WriteFile(path, []byte(test.file), 0o600))
			found := auditOf(t, at, path)
			require.Len(t, found.Certificates, 1)
			assert.Equal(t, test.do, found.Certificates[0].Do)
			assert.Equal(t, test.status, found.Certificates[0].Status)
			assert.Equal(t, test.do == classNow, found.urgent(classNow))
		})
	}
}

// In a report of many machines it is wrong where it is wrong.
func TestTheKeyOfAnotherOnOneOfManyMachines(t *testing.T) {
	leaf := pemOf(underG1(t, 1, day(2028, 9, 1))...)
	at := day(2026, 11, 23)
	fl := newFleet(auditRun{Start: at, At: at, Targets: []string{}})
	var runs []string
	dir := t.TempDir()
	for machine, key := range map[string]string{"web01": "", "web02": someKey(t), "web03": ""} {
		folder := filepath.Join(dir, machine)
		writeFiles(t, folder, map[string]string{"www.pem": leaf + key})
		found := auditOf(t, at, folder)
		found.Run.Machine, found.Run.Start = machine, at
		runs = append(runs, filepath.Join(dir, machine+".json"))
		require.NoError(t, os.WriteFile(runs[len(runs)-1], found.json(), 0o600))
	}
	fl.take(runs)
	found := fl.finish(0)
	table, _, _, _, page, metrics := everyOutput(t, found)
	assert.Contains(t, table, "- now: Put the right key beside the certificate, or the certificate of the key.\n  1 certificate in 1 machine: system0.example.\n")
	assert.Contains(t, table, "\n  1 certificate in 3 machines: system0.example.\n")
	assert.Contains(t, page, "<li>One certificate is beside the key of another, in 1 machine: web02.</li>")
	assert.Equal(t, 1, strings.Count(metrics, `machine="web02",state="now"`))
	assert.Equal(t, 2, strings.Count(metrics, `state="later"} 1`))
}
