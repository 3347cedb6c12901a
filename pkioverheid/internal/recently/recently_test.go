package recently

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestACacheIsBounded(t *testing.T) {
	var c Cache[string, int]
	_, ok := c.Get("a")
	assert.False(t, ok)
	for i := range 2560 {
		c.Put(fmt.Sprint(i), i)
		v, ok := c.Get("0") // asked for all the time
		assert.True(t, ok)
		assert.Zero(t, v)
		assert.LessOrEqual(t, len(c.young)+len(c.old), 512)
	}
	_, ok = c.Get("1")
	assert.False(t, ok, "and this was not")
}

func TestACacheIsBoundedByTheSizeOfItsValues(t *testing.T) {
	c := Cache[int, string]{Most: 100, Size: func(s string) int { return len(s) }}
	for i := range 100 {
		c.Put(i, strings.Repeat("a", 30))
		assert.LessOrEqual(t, len(c.young), 4)
	}
	_, ok := c.Get(99)
	assert.True(t, ok)
	_, ok = c.Get(90)
	assert.False(t, ok)
}
