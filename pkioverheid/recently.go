package pkioverheid

import "sync"

// recently keeps what was looked up in the last two generations of it: at most twice
// recentlyMost values, and the oldest go.
type recently[K comparable, V any] struct {
	mu       sync.Mutex
	new, old map[K]V
}

const recentlyMost = 256

func (c *recently[K, V]) get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.new[key]
	if !ok {
		if v, ok = c.old[key]; ok {
			c.add(key, v)
		}
	}
	return v, ok
}

func (c *recently[K, V]) put(key K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(key, v)
}

func (c *recently[K, V]) add(key K, v V) {
	if len(c.new) >= recentlyMost || c.new == nil {
		c.old, c.new = c.new, make(map[K]V)
	}
	c.new[key] = v
}
