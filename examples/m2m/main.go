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
// The exit status is 0 if everything went as it should, 1 if not, and 2 for flags that do
// not go together.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errOut io.Writer) int {
	flags := flag.NewFlagSet("m2m", flag.ContinueOnError)
	flags.SetOutput(errOut)
	addr := flags.String("addr", "", "host:port of a real `server` to call instead")
	cert := flags.String("cert", "", "with -addr, the client certificate: a .p7b, .cer or .pem `file`, or a .p12 with its key")
	key := flags.String("key", "", "with -addr, the `file` of its private key, unless that is in -cert")
	crls := flags.Bool("crl", false, "with -addr, fetch the CRLs and refuse what was revoked")
	flags.Usage = func() {
		fmt.Fprintln(errOut, "usage: m2m [-addr host:port [-crl] [-cert file [-key file]]]\n\nA password for the key is read from the environment variable M2M_PASSWORD.")
		flags.PrintDefaults()
	}
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0, *addr == "" && flags.NFlag() > 0, *cert == "" && *key != "": // what would be left out
		flags.Usage()
		return 2
	}

	var ok bool
	var err error
	if *addr != "" {
		ok, err = explain(out, *addr, *crls, *cert, *key, os.Getenv("M2M_PASSWORD"))
	} else {
		ok, err = demonstrate(out)
	}
	if err != nil {
		fmt.Fprintln(errOut, "m2m:", err)
	}
	if err != nil || !ok {
		return 1
	}
	return 0
}
