// Command pkio looks after certificates of PKIoverheid: it finds those that must be
// replaced and says by what and by when, explains chains, converts trust stores, and
// writes the hierarchies for other programs.
//
//	go install github.com/go-pkioverheid/trust/examples/pkio@latest
//	pkio --help
//
// It is a thin layer over the library: package inventory finds certificates, package
// chain explains them, package pkioverheid advises, package truststore reads and writes.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		stop()
		first := time.Now()
		for range signals {
			// Two that come together are one wish: what is being written is written whole.
			if time.Since(first) > patience {
				os.Exit(statusError)
			}
		}
	}()
	os.Exit(run(ctx, os.Args[1:]))
}

// patience is how long after the first signal another one changes nothing.
const patience = 2 * time.Second
