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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:]))
}
