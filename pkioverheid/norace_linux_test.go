//go:build !race

package pkioverheid_test

import "time"

// refusalCPU is what the refusal of a request may cost; see refusalLimit.
const refusalCPU = 2 * time.Millisecond
