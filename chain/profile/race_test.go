//go:build race

package profile_test

// slower is how much the race detector slows the policies down, on a busy machine.
const slower = 10
