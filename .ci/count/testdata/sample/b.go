package sample

// Both are constants.
const (
	B = 1
	C = `two
lines`
)

// F uses the other file.
func F() T { return T{} }

func g() {}
