//go:build !race

package profile_test

const slower = 1
