package truststore_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// partners is a store in a folder of its own, with one certificate.
func partners() (path string, remove func()) {
	dir := tempFolder()
	path = filepath.Join(dir, "partners.pem")
	if err := open(rootFile).WriteFile(path, truststore.PEM); err != nil {
		log.Fatal(err)
	}
	return path, func() { os.RemoveAll(dir) }
}

// A server that asks its Source at each handshake.
func ExampleWatch() {
	path, remove := partners()
	defer remove()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	source, err := truststore.Watch(ctx, path)
	if err != nil {
		log.Fatal(err)
	}
	base := &tls.Config{
		ClientAuth: tls.RequireAndVerifyClientCert,
		// and the server's own certificate
	}
	server := &tls.Config{
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			config := base.Clone()
			config.ClientCAs = source.Store().CertPool()
			return config, nil
		},
	}
	_ = server // for an http.Server
	fmt.Println(source.Store().Len())
	// Output: 1
}

// To make something of the certificates, and to make it anew only when they changed.
func ExampleSource_Store() {
	path, remove := partners()
	defer remove()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	source, err := truststore.Watch(ctx, path)
	if err != nil {
		log.Fatal(err)
	}

	var madeOf *truststore.Store
	for range 3 {
		if store := source.Store(); store != madeOf {
			fmt.Println("made of", store.Len(), "certificate")
			madeOf = store
		}
	}
	// Output: made of 1 certificate
}

// A check of a program's health.
func ExampleSource_Err() {
	path, remove := partners()
	defer remove()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	source, err := truststore.Watch(ctx, path)
	if err != nil {
		log.Fatal(err)
	}
	if err := source.Err(); err != nil {
		fmt.Println("what is on the disk is not in use:", err)
		return
	}
	fmt.Println("healthy")
	// Output: healthy
}

func ExampleOnReload() {
	path, remove := partners()
	defer remove()
	told := make(chan bool)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := truststore.Watch(ctx, path,
		truststore.WithInterval(time.Second/10),
		truststore.OnReload(func(r truststore.Reload) {
			fmt.Println(r.Store.Len(), "in use,", len(r.Changes.Added), "of them new, error:", r.Err != nil)
			told <- true
		}))
	if err != nil {
		log.Fatal(err)
	}

	if err := open(folder).WriteFile(path, truststore.PEM); err != nil {
		log.Fatal(err)
	}
	<-told
	if err := os.WriteFile(path, []byte("what was that?"), 0o644); err != nil {
		log.Fatal(err)
	}
	<-told
	// Output:
	// 7 in use, 6 of them new, error: false
	// 7 in use, 0 of them new, error: true
}

// Roots that come from Vault or a database.
func ExampleSource_Set() {
	partners := open(folder)
	source := truststore.NewSource(partners)
	fmt.Println(source.Store().Len())

	first := slices.Collect(partners.All())[0]
	err := source.Set(truststore.New(first))
	fmt.Println(source.Store().Len(), err)

	err = source.Set(truststore.New()) // an empty answer of the database
	fmt.Println(source.Store().Len(), err)
	// Output:
	// 7
	// 1 <nil>
	// 1 truststore: a Source is not set to a store without any certificate
}

func ExampleNewSource() {
	source := truststore.NewSource(open(folder))
	fmt.Println(source.Store().Len(), source.Err())
	// Output: 7 <nil>
}

func ExampleWithInterval() {
	path, remove := partners()
	defer remove()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	source, err := truststore.Watch(ctx, path, truststore.WithInterval(time.Minute))
	fmt.Println(source.Store().Len(), err)
	// Output: 1 <nil>
}

func ExampleWatchFiles() {
	path := filepath.Join(os.TempDir(), "example-password")
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(path)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := truststore.WatchFiles(ctx, func(contents [][]byte, _ time.Time) error {
		fmt.Println(len(contents[0]), "bytes")
		return nil
	}, []string{path})
	fmt.Println(err)
	// Output:
	// 6 bytes
	// <nil>
}

func ExampleOnLook() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	looked := make(chan time.Time)
	path := filepath.Join(os.TempDir(), "example-looked-at")
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(path)
	use := func([][]byte, time.Time) error { return nil }
	if _, err := truststore.WatchFiles(ctx, use, []string{path}, truststore.WithInterval(10*time.Millisecond),
		truststore.OnLook(func(at time.Time) {
			select {
			case looked <- at:
			case <-ctx.Done():
			}
		})); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println((<-looked).IsZero())
	// Output: false
}

func ExampleWithTime() {
	clock := func() time.Time { return time.Date(2027, time.December, 1, 0, 0, 0, 0, time.UTC) }
	use := func(_ [][]byte, at time.Time) error {
		fmt.Println(at.Format(time.DateOnly))
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if _, err := truststore.WatchFiles(ctx, use, []string{rootFile}, truststore.WithTime(clock)); err != nil {
		fmt.Println(err)
	}
	// Output: 2027-12-01
}
