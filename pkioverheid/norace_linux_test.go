//go:build !race

package pkioverheid_test

import "time"

// refusalCPU is what the refusal of a request may cost.
const refusalCPU = 2 * time.Millisecond
