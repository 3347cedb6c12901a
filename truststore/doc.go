// Package truststore holds certificates as a set: read, write, compare.
package truststore
