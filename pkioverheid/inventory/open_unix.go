//go:build unix

package inventory

import "syscall"

// openFlags keep open from waiting for the writer of a pipe that has taken the
// place of a file. For regular files they change nothing.
const openFlags = syscall.O_NONBLOCK
