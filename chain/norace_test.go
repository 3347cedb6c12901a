//go:build !race

package chain_test

const slower = 1
