// Command libraries calls servers with the client libraries of others and prints what
// their errors keep of a certificate that was refused. A folder a library has the lines
// that it needs; what is to be copied is there.
//
//	go -C examples/libraries run .
//
// It starts the servers on the loopback interface, under test certificates, and stops by
// itself. They end a call where the handshake does, which is all that is to be seen here.
package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := demonstrate(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "libraries:", err)
		os.Exit(1)
	}
}
