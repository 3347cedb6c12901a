package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// targetOf is what package inventory takes for what people write: a path as it is, and
// for a server its host and port, of "host", "host:https", "https://host/path" or "[::1]".
// What exists as a file is one.
func targetOf(arg string) string {
	if _, err := os.Lstat(arg); err == nil {
		return arg
	}
	if rest, ok := cutScheme(arg, "https"); ok {
		host, _, _ := strings.Cut(rest, "/")
		return withPort(host)
	}
	if strings.Contains(arg, "://") || strings.ContainsAny(arg, `/\ `) {
		return arg
	}
	if _, _, err := net.SplitHostPort(arg); err == nil || isHostAlone(arg) {
		return withPort(arg)
	}
	return arg
}

func cutScheme(arg, scheme string) (rest string, ok bool) {
	n := len(scheme) + len("://")
	if len(arg) < n || !strings.EqualFold(arg[:n], scheme+"://") {
		return "", false
	}
	return arg[n:], true
}

// isHostAlone reports whether something without a port is a server. A name of one word,
// or with an ending that files have, is not: a file that is missing is not looked for in
// DNS.
func isHostAlone(arg string) bool {
	if net.ParseIP(strings.Trim(arg, "[]")) != nil || arg == "localhost" {
		return true
	}
	switch strings.ToLower(filepath.Ext(arg)) {
	case "", ".pem", ".crt", ".cer", ".der", ".key", ".p12", ".pfx", ".p7b", ".p7c", ".jks", ".csr", ".crl", ".xml", ".json", ".yaml", ".yml",
		".txt", ".csv", ".html", ".conf", ".cfg", ".zip", ".jar", ".war", ".tar", ".gz", ".tgz", ".log", ".bak", ".old":
		return false
	}
	return isServerName(strings.TrimSuffix(arg, "."))
}

// withPort is a host with a port as a number: 443 if there is none.
func withPort(host string) string {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		return net.JoinHostPort(strings.Trim(host, "[]"), "443")
	}
	if _, err := strconv.Atoi(port); err != nil {
		if n, err := net.LookupPort("tcp", port); err == nil {
			return net.JoinHostPort(name, strconv.Itoa(n))
		}
	}
	return host
}

// Bounds of a list of servers.
const (
	maxHostsFile = 32 << 20
	maxHosts     = 1_000_000
)

// hostsOf reads a list of servers: one on each line, and comments after "#".
func hostsOf(path string) (hosts []string, err error) {
	data, err := readFile(path, maxHostsFile)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		host := strings.TrimSpace(line)
		if host == "" {
			continue
		}
		target := host
		switch rest, https := cutScheme(host, "https"); {
		case https:
			rest, _, _ = strings.Cut(rest, "/")
			target = withPort(rest)
		case !strings.Contains(host, "://"):
			target = withPort(host)
		}
		if !isHostTarget(target) {
			return nil, fmt.Errorf("%s, line %d: want a server, as service.example or service.example:8443, got %s", safetext.Printable(path, 300), n, safetext.Quote(host))
		}
		if hosts = append(hosts, target); len(hosts) > maxHosts {
			return nil, fmt.Errorf("%s: more than %s servers", safetext.Printable(path, 300), thousands(maxHosts))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", safetext.Printable(path, 300), err)
	}
	if len(hosts) == 0 {
		return nil, errors.New(safetext.Printable(path, 300) + ": there is no server in it")
	}
	return hosts, nil
}

// isHostTarget reports whether a target of inventory is a server, if it is not a file.
func isHostTarget(target string) bool {
	if strings.Contains(target, "://") {
		return true // of a protocol that begins in clear, or inventory says what it takes
	}
	host, port, err := net.SplitHostPort(target)
	if err != nil || strings.ContainsAny(host, `/\ `) {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n > 0 && n <= 65535 && (net.ParseIP(host) != nil || isServerName(strings.TrimSuffix(host, ".")))
}

// globs are the patterns of what is left out.
type globs []string

func (g globs) check() error {
	for _, pattern := range g {
		if _, err := filepath.Match(pattern, ""); err != nil {
			return fmt.Errorf("--exclude %q is not a pattern: want one as *.bak, node_modules or /var/lib/*", pattern)
		}
	}
	return nil
}

// match reports whether a path is left out: by its last name, or, for a pattern with a
// slash in it, by all of it.
func (g globs) match(path string) bool {
	for _, pattern := range g {
		pattern = strings.TrimSuffix(pattern, "/")
		what := path
		if !strings.Contains(pattern, "/") {
			what = filepath.Base(path)
		}
		if ok, _ := filepath.Match(pattern, what); ok {
			return true
		}
	}
	return false
}
