//go:build !unix

package truststore

import (
	"io/fs"
	"os"
)

// keepOwner has nothing to do: without Unix owners, a new file has those that its
// folder hands down.
func keepOwner(*os.File, fs.FileInfo) (group bool) { return true }
