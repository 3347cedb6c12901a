package policy

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWithin(t *testing.T) {
	arc := Parse("2.16.528.1.1003.1.2")
	for number, want := range map[string]bool{
		"2.16.528.1.1003.1.2":                      true,
		"2.16.528.1.1003.1.2.8.6":                  true,
		"2.16.528.1.1003.1.2.18446744073709551616": true,
		"2.16.528.1.1003.1":                        false,
		"2.16.528.1.1003.1.20":                     false,
		"2.16.528.1.1003.1.256":                    false,
		"2.16.528.1.1003.1.3.2":                    false,
	} {
		assert.Equal(t, want, Within(Parse(number), arc), number)
	}
	assert.True(t, Within(arc, Parse("1.2"), arc))
	assert.False(t, Within(arc))
	assert.Panics(t, func() { Parse("1.x") })
}
