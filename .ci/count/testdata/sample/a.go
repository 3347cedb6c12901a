// Package sample is counted by a test.
package sample

// T has four words.
type T struct {
	A int // a field
	b int
}

// M is a method.
func (t *T) M() int { return t.b + len(C) }

func (hidden) N() {}

type hidden struct{}
