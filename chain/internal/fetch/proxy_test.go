package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// childVariable has the test run again in a process with another environment, which
// net/http reads once.
const childVariable = "FETCH_THROUGH_A_PROXY"

func TestTheProxyOfTheEnvironment(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		f := mustNew(t, Config{Hosts: []string{"crl.example"}, Timeout: 5 * time.Second})
		res, err := f.Get(context.Background(), os.Getenv(childVariable), nil)
		if err == nil {
			fmt.Printf("<%s>\n", res.Body)
		} else {
			fmt.Printf("<%v, not allowed: %t>\n", err, errors.Is(err, ErrNotAllowed))
		}
		return
	}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/list.crl" {
			_, _ = io.WriteString(w, "a list from "+r.Host+" "+r.Header.Get("Via"))
		} else {
			http.NotFound(w, r)
		}
	}))
	defer origin.Close()
	proxy := tinyproxy(t, strings.TrimPrefix(origin.URL, "http://"))
	free := unused(t)

	for _, test := range []struct {
		name, url string
		env       []string
		says      []string
		not       string
	}{
		{"HTTP_PROXY is used", "http://crl.example/list.crl", []string{"HTTP_PROXY=http://user:secret@" + proxy},
			[]string{"<a list from crl.example", "tinyproxy"}, "secret"},
		{"what the server answers through it is said with the proxy", "http://crl.example/none", []string{"http_proxy=http://user:secret@" + proxy},
			[]string{`through the proxy "http://` + proxy + `": the server answers 404`}, "secret"},
		{"a proxy that does not answer is named", "http://crl.example/list.crl", []string{"HTTP_PROXY=http://user:secret@" + free},
			[]string{`through the proxy "http://` + free + `": `, "refused"}, "secret"},
		{"HTTPS_PROXY is for https", "https://crl.example/list.crl", []string{"HTTPS_PROXY=http://user:secret@" + free},
			[]string{`through the proxy "http://` + free + `": `}, "secret"},
		{"and not for http", "http://crl.example/list.crl", []string{"HTTPS_PROXY=http://" + proxy}, []string{"fetch "}, "proxy"},
		{"NO_PROXY takes hosts out", "http://crl.example/list.crl", []string{"HTTP_PROXY=http://" + proxy, "NO_PROXY=.example"},
			[]string{"fetch "}, "proxy"},
		{"the allowed hosts stay", "http://other.example/list.crl", []string{"HTTP_PROXY=http://" + proxy}, []string{"not allowed: true"}, "proxy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestTheProxyOfTheEnvironment$")
			for _, v := range os.Environ() {
				if name, _, _ := strings.Cut(v, "="); !strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
					cmd.Env = append(cmd.Env, v)
				}
			}
			cmd.Env = append(append(cmd.Env, childVariable+"="+test.url), test.env...)
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			for _, part := range test.says {
				assert.Contains(t, string(out), part)
			}
			assert.NotContains(t, string(out), test.not)
		})
	}
}

// tinyproxy starts one that gets what is of crl.example from a server, and returns its address.
func tinyproxy(t *testing.T, server string) string {
	program, err := exec.LookPath("tinyproxy")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("tinyproxy is not installed, and in CI no test may skip")
		}
		t.Skip("tinyproxy is not installed")
	}
	address := unused(t)
	_, port, _ := net.SplitHostPort(address)
	file := filepath.Join(t.TempDir(), "tinyproxy.conf")
	require.NoError(t, os.WriteFile(file, []byte("Port "+port+`
Listen 127.0.0.1
Allow 127.0.0.1
BasicAuth user secret
Upstream http `+server+` "crl.example"
`), 0o600))
	cmd := exec.Command(program, "-d", "-c", file)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, 10*time.Second, 20*time.Millisecond)
	return address
}

// unused is an address at which nobody listens.
func unused(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}
