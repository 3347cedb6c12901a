package pkioverheid_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// A supplier reports a stolen key, and its CRL is hours away. The program has the entry
// from its database or an administrator's command.
func ExampleDistrusted() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	emergency := new(pkioverheid.Distrusted)
	trust := pkiotest.Trust(g1)
	trust.Distrusted = emergency // of clients, servers and verifiers
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: trust})
	if err != nil {
		log.Fatal(err)
	}
	server := g1.NewServer(hello, pkiotest.Leaf{})
	defer server.Close()
	get := func() error {
		resp, err := client.Get(server.URL)
		if err == nil {
			err = resp.Body.Close()
		}
		return err
	}
	fmt.Println(get())

	err = emergency.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(server.Certificate()), Reason: "key stolen, incident 4711"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(get() != nil)
	// Output:
	// <nil>
	// true
}

func ExampleDistrusted_Set() {
	// The first CA of a TSP and all that it issued, and one certificate by its number.
	cas := pkiotest.New(pkioverheid.PrivateG1).Certificates()
	var d pkioverheid.Distrusted
	fmt.Println(d.Set(
		pkioverheid.DistrustedEntry{Key: chain.KeyHash(cas[2]), Reason: "the TSP was broken into"},
		pkioverheid.DistrustedEntry{Issuer: cas[1].Issuer, SerialNumber: cas[1].SerialNumber, Reason: "withdrawn by Logius"},
	))
	fmt.Println(d.Set(pkioverheid.DistrustedEntry{Reason: "no certificate is named"}))
	// Output:
	// <nil>
	// pkioverheid: Distrusted stays as it was: entry 1: it names 0 things, and should name one: a certificate, a key, an issuer with a serial number, or a subject
}

// Operators write a file, which a ConfigMap of Kubernetes may bring, and no program is
// released or restarted.
func ExampleWatchDistrusted() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	leaf := g1.Issue(pkiotest.Leaf{}).Leaf
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "distrusted.txt")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	write("# nothing yet\n")

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	inUse := make(chan error)
	distrusted, err := pkioverheid.WatchDistrusted(ctx, path, truststore.WithInterval(10*time.Millisecond),
		truststore.OnReload(func(r truststore.Reload) { inUse <- r.Err }))
	if err != nil {
		log.Fatal(err)
	}
	trust := pkiotest.Trust(g1)
	trust.Distrusted = distrusted
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{})}}, pkioverheid.AllowAnySystem())
	if err != nil {
		log.Fatal(err)
	}
	state := connectionOf(g1, leaf)
	_, err = server.Identify(state)
	fmt.Println(err)

	write(fmt.Sprintf("key %x  reported stolen by its owner\n", chain.KeyHash(leaf)))
	if err := <-inUse; err != nil {
		log.Fatal(err)
	}
	_, err = server.Identify(state)
	fmt.Println(err)
	// Output:
	// <nil>
	// pkioverheid: the client's certificate was refused: chain: distrusted: "localhost": pkioverheid: "localhost" is distrusted here, by its key: reported stolen by its owner. Its owner needs a certificate that is not on the list of Trust.Distrusted, of another CA where the CA is on it
}

// A connection that lives longer than a request, as those of WebSockets do, asks again
// while it is open: here every ten milliseconds, in a program once a minute.
func ExampleServer_Identify_longLived() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	emergency := new(pkioverheid.Distrusted)
	trust := pkiotest.Trust(g1)
	trust.Distrusted, trust.Logger = emergency, slog.New(slog.DiscardHandler)
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{})}}, pkioverheid.AllowAnySystem())
	if err != nil {
		log.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", server.TLSConfig())
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	serve := func(conn *tls.Conn) error { // after Upgrade, with the http.Request's TLS
		defer conn.Close() // which ends a Read or Write that waits
		state := conn.ConnectionState()
		for range time.Tick(10 * time.Millisecond) {
			if _, err := server.Identify(&state); err != nil {
				return err
			}
		}
		return nil
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func(conn *tls.Conn) {
				if conn.Handshake() == nil {
					fmt.Fprintln(conn, "welcome")
					_ = serve(conn)
				}
			}(conn.(*tls.Conn))
		}
	}()

	own := g1.KeyPair(pkiotest.Leaf{ClientOnly: true})
	config, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: []*pkioverheid.KeyPair{own}})
	if err != nil {
		log.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	conn, err := tls.Dial("tcp", net.JoinHostPort("localhost", port), config)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	fmt.Println(lines.Scan(), lines.Text())
	if err := emergency.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(own.Certificate())}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(lines.Scan(), "the connection was closed")
	// Output:
	// true welcome
	// false the connection was closed
}
