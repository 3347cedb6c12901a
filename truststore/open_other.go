//go:build !unix

package truststore

// openFlags are none: without Unix, no pipe takes the place of a file.
const openFlags = 0
