//go:build race

package pkioverheid_test

import "time"

// The race detector makes everything several times as slow.
const refusalCPU = 30 * time.Millisecond
