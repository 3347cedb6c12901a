// Package recently has a cache of what was looked up lately, of bounded size.
package recently

import "sync"

// Cache has two generations of values. Where the younger one is full, the older one
// goes, and what was not looked up since. The zero Cache has room for 256 values in each.
type Cache[K comparable, V any] struct {
	Most int         // the size of a generation; zero: 256
	Size func(V) int // of a value; nil: 1

	mu         sync.Mutex
	young, old map[K]V
	size       int // of young
}

func (c *Cache[K, V]) Get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.young[key]
	if !ok {
		if v, ok = c.old[key]; ok {
			c.add(key, v)
		}
	}
	return v, ok
}

func (c *Cache[K, V]) Put(key K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(key, v)
}

func (c *Cache[K, V]) add(key K, v V) {
	most, size := c.Most, 1
	if most == 0 {
		most = 256
	}
	if c.Size != nil {
		size = c.Size(v)
	}
	if c.young == nil || c.size >= most {
		c.old, c.young, c.size = c.young, make(map[K]V), 0
	}
	c.young[key] = v
	c.size += size
}

// Len is the number of values.
func (c *Cache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.young) + len(c.old)
}
