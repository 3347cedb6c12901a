package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"pkio": main})
}

// The scripts run pkio as its users do: see the files.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Condition:           condition,
		Setup:               countCerts,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"certs":    certsCommand,
			"estate":   estateCommand,
			"exits":    exitsCommand,
			"found":    foundCommand,
			"lines":    linesCommand,
			"plant":    plantOnce(t.TempDir()),
			"raw":      rawCommand,
			"serve":    serveCommand,
			"terminal": terminalCommand,
		},
	})
}

// countCerts sets variables from the table of certificates, so that a new CA breaks no
// script: how many there are, of which hierarchy, and those that must be replaced now.
func countCerts(env *testscript.Env) error {
	n := map[string]int{"LINES": 1}
	for _, h := range append(pkioverheid.Hierarchies(), pkioverheid.G3) {
		certs := len(h.Certificates())
		switch h {
		case pkioverheid.EV:
			n["EV"], n["NOW"] = certs, n["NOW"]+certs
		case pkioverheid.G3:
			n["G3"], n["NOW"] = certs, n["NOW"]+certs
		case pkioverheid.PrivateG1:
			n["G1"] = certs
		case pkioverheid.PrivateG4TLS:
			n["G4"] = certs
		}
		n["ALL"] += certs
		n["LINES"] += certs // of CSV, with its heading
	}
	n["G1G3"], n["G1G4"], n["G1G4EV"] = n["G1"]+n["G3"], n["G1"]+n["G4"], n["G1"]+n["G4"]+n["EV"]
	n["FINE"] = n["ALL"] - n["NOW"] - n["G1"]
	n["PLANTED"] = n["G1G4EV"] + n["G3"] + 5          // with their leaves, and a foreign one: see plant
	n["G1LEAF"] = n["G3"] + 1 + n["EV"] + 1 + n["G1"] // where it is among them
	for name, value := range n {
		env.Setenv("N_"+name, strconv.Itoa(value))
	}
	return nil
}

// condition knows [programs]: openssl, keytool and script. CI has all of them. And
// [thorough], for scripts that take long.
func condition(name string) (bool, error) {
	if name == "thorough" {
		return thorough, nil
	}
	if name != "programs" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	for _, program := range []string{"openssl", "keytool", "script"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") != "" {
				return false, fmt.Errorf("%s is not installed: CI installs it", program)
			}
			return false, nil
		}
	}
	return true, nil
}

// exits STATUS PROGRAM [ARGUMENT…] runs a program and wants that exit status.
func exitsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM [ARGUMENT…]")
	}
	expectStatus(ts, args[0], ts.Exec(args[1], args[2:]...))
}

func expectStatus(ts *testscript.TestScript, want string, err error) {
	status := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		status = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(status) != want {
		ts.Fatalf("exit status %d, want %s", status, want)
	}
}

// terminal STATUS COMMANDLINE runs a command line of sh with a terminal around it, so
// that all that it writes comes out of standard output.
func terminalCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: terminal STATUS COMMANDLINE")
	}
	expectStatus(ts, args[0], ts.Exec("script", "-qec", args[1], os.DevNull))
}

// lines COUNT FILE wants that many lines in a file, or in stdout or stderr.
func linesCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines COUNT FILE")
	}
	text := ts.ReadFile(args[1])
	if got := strings.Count(text, "\n"); strconv.Itoa(got) != args[0] {
		ts.Fatalf("%d lines, want %s:\n%s", got, args[0], text)
	}
}

// raw FILE TEXT writes a file whose name and contents are Go's: \x00 is a byte.
func rawCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: raw FILE TEXT")
	}
	var unquoted [2]string
	for i, arg := range args {
		var err error
		unquoted[i], err = strconv.Unquote(`"` + arg + `"`)
		ts.Check(err)
	}
	path := ts.MkAbs(unquoted[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	ts.Check(os.WriteFile(path, []byte(unquoted[1]), 0o600))
}

// certs FOLDER writes the CA certificates of the hierarchies, as they are published.
func certsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: certs FOLDER")
	}
	for _, h := range append(pkioverheid.Hierarchies(), pkioverheid.G3) {
		dir := filepath.Join(ts.MkAbs(args[0]), string(h))
		ts.Check(os.MkdirAll(dir, 0o755))
		for i, c := range h.Certificates() {
			data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
			ts.Check(os.WriteFile(filepath.Join(dir, strconv.Itoa(i)+".pem"), data, 0o600))
		}
	}
}

// serve VARIABLE KIND starts a server and puts its host and port into a variable.
func serveCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: serve VARIABLE KIND")
	}
	g1 := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	shake := func(cert tls.Certificate) func(net.Conn) {
		return func(c net.Conn) { _ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake() }
	}
	var answer func(net.Conn)
	switch args[1] {
	case "g1":
		answer = shake(g1)
	case "g3":
		answer = shake(pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{}))
	case "alone", "disorder", "root": // what a server should not send
		g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
		cert := g4.Issue(pkiotest.Leaf{})
		certs := cert.Certificate
		switch args[1] {
		case "alone":
			certs = certs[:1]
		case "disorder":
			certs = [][]byte{certs[0], certs[2], certs[1]}
		case "root":
			certs = append(certs[:len(certs):len(certs)], g4.Certificates()[0].Raw)
		}
		cert.Certificate = certs
		answer = shake(cert)
	case "many":
		for len(g1.Certificate) < 150 {
			g1.Certificate = append(g1.Certificate, g1.Certificate[1])
		}
		answer = shake(g1)
	case "names": // another certificate for each name
		virtual := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{DNSNames: []string{"virtual.example"}})
		answer = func(c net.Conn) {
			_ = tls.Server(c, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				if hello.ServerName == "virtual.example" {
					return &virtual, nil
				}
				return &g1, nil
			}}).Handshake()
		}
	case "impostor":
		answer = shake(impostor(ts))
	case "mutual": // asks for a certificate of its own CA: client.pem and client.key; its CA is in ca.pem
		answer = mutual(ts)
	case "http":
		answer = func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1000))
			fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}
	case "reset":
		answer = func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1))
			_ = c.(*net.TCPConn).SetLinger(0)
		}
	case "silent":
		answer = func(net.Conn) { time.Sleep(time.Minute) }
	default:
		ts.Fatalf("no such server: %s", args[1])
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				answer(c)
			}()
		}
	}()
	ts.Setenv(args[0], "localhost:"+strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// impostor is what a server has that presents a CA of its own making for localhost, and
// after it the certificate of somebody else. The CA of that one is in ca.pem.
func impostor(ts *testscript.TestScript) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	issue := func(name string, isCA bool, parent *x509.Certificate) *x509.Certificate {
		cert := &x509.Certificate{
			SerialNumber:          big.NewInt(1),
			Subject:               pkix.Name{CommonName: name},
			DNSNames:              []string{name},
			NotBefore:             time.Now().Add(-time.Hour),
			NotAfter:              time.Now().Add(time.Hour),
			IsCA:                  isCA,
			BasicConstraintsValid: true,
		}
		if parent == nil {
			parent = cert
		}
		der, err := x509.CreateCertificate(rand.Reader, cert, parent, key.Public(), key)
		ts.Check(err)
		cert, err = x509.ParseCertificate(der)
		ts.Check(err)
		return cert
	}
	ca := issue("Own CA", true, nil)
	ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}), 0o600))
	mine, theirs := issue("localhost", true, nil), issue("localhost", false, ca)
	return tls.Certificate{Certificate: [][]byte{mine.Raw, theirs.Raw}, PrivateKey: key}
}

// mutual is a web server that lets in who has a certificate by its CA.
func mutual(ts *testscript.TestScript) func(net.Conn) {
	write := func(name string, block *pem.Block) {
		ts.Check(os.WriteFile(ts.MkAbs(name), pem.EncodeToMemory(block), 0o600))
	}
	var caCert *x509.Certificate
	var caKey *ecdsa.PrivateKey
	issue := func(name string, use x509.ExtKeyUsage) (der []byte, key *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		ts.Check(err)
		cert := &x509.Certificate{SerialNumber: big.NewInt(int64(len(name))), Subject: pkix.Name{CommonName: name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true}
		parent, signer := caCert, caKey
		if parent == nil {
			cert.IsCA, parent, signer = true, cert, key
		} else {
			cert.DNSNames, cert.ExtKeyUsage = []string{"localhost"}, []x509.ExtKeyUsage{use}
		}
		der, err = x509.CreateCertificate(rand.Reader, cert, parent, key.Public(), signer)
		ts.Check(err)
		return der, key
	}
	der, key := issue("Own CA", 0)
	caKey = key
	var err error
	caCert, err = x509.ParseCertificate(der)
	ts.Check(err)
	write("ca.pem", &pem.Block{Type: "CERTIFICATE", Bytes: der})
	client, clientKey := issue("client", x509.ExtKeyUsageClientAuth)
	write("client.pem", &pem.Block{Type: "CERTIFICATE", Bytes: client})
	encoded, err := x509.MarshalPKCS8PrivateKey(clientKey)
	ts.Check(err)
	write("client.key", &pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
	own, ownKey := issue("localhost", x509.ExtKeyUsageServerAuth)
	pool := x509.NewCertPool()
	pool.AddCert(caCert)
	cfg := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{own}, PrivateKey: ownKey}}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	return func(c net.Conn) {
		s := tls.Server(c, cfg)
		if s.Handshake() == nil {
			_, _ = s.Read(make([]byte, 4096))
			fmt.Fprint(s, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			_ = s.CloseWrite()
		}
	}
}

// Progress fits 40 columns: a line that breaks is not taken away again.
func TestProgressFitsTheTerminal(t *testing.T) {
	for _, test := range []struct {
		files, hosts, certificates, width int
		want                              string
	}{
		{6497, 1, 3002, 80, "6,497 files, 1 host, 3,002 certificates"},
		{6497, 1, 3002, 40, "6,497 files, 1 host"},
		{200, 0, 25, 40, "200 files"},
		{20, 0, 1, 50, "20 files, 1 certificate"},
		{0, 5000, 1000, 40, "5,000 hosts"},
		{1234567, 5000, 1, 20, "1,234,567 files"},
	} {
		assert.Equal(t, test.want, progressText(test.files, test.hosts, test.certificates, test.width))
	}
}
