//go:build !unix

package inventory

// openFlags are none: without Unix, no pipe takes the place of a file.
const openFlags = 0
