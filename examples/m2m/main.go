// Command m2m shows what a client of this library does with the servers that a
// program meets between machines: it starts some on the loopback interface, under
// fixture certificates, calls each, and prints what came of it.
//
//	go run ./examples/m2m
//
// With -addr it calls a real server instead, and explains the chain that the
// server presents. Give the client certificate that you were issued if the server
// wants one:
//
//	go run ./examples/m2m -addr soap.machtigen.digid.nl:443
//	go run ./examples/m2m -addr soap.machtigen.digid.nl:443 -cert client.p7b -key client.key
//
// With -crl the CRLs that the certificates name are fetched, and what was revoked is
// refused.
//
// The exit status is 0 if everything went as it should, 1 if not.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	addr := flag.String("addr", "", "host:port of a real `server` to call instead")
	cert := flag.String("cert", "", "with -addr, the client certificate: a .p7b, .cer or .pem `file`, or a .p12 with its key")
	key := flag.String("key", "", "with -addr, the `file` of its private key, unless that is in -cert")
	crls := flag.Bool("crl", false, "with -addr, fetch the CRLs and refuse what was revoked")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: m2m [-addr host:port [-crl] [-cert file [-key file]]]\n\nA password for the key is read from the environment variable M2M_PASSWORD.")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}

	var ok bool
	var err error
	if *addr != "" {
		ok, err = explain(os.Stdout, *addr, *crls, *cert, *key, os.Getenv("M2M_PASSWORD"))
	} else {
		ok, err = demonstrate(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "m2m:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}
