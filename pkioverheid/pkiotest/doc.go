// Package pkiotest makes PKIoverheid-like certificates for tests.
package pkiotest

//go:generate go run generate.go
