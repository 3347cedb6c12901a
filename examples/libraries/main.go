// Command libraries calls servers with the client libraries of others and prints what
// their errors keep of a certificate that was refused. A folder a library has the lines
// that it needs.
//
//	go -C examples/libraries run .
package main

func main() {}
