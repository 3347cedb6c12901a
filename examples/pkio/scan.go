package main

import (
	"context"
	"io"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// stopPatience is how long a scan that was stopped may take to end: a read of a file
// system, or the password of a key store, may take much longer.
const stopPatience = time.Second

// eachFound takes the results of a scan one by one. It returns when the scan has ended,
// or soon after ctx was cancelled, with what the scan waits for left to itself.
func eachFound(ctx context.Context, cfg inventory.Config, in io.Reader, targets []string, take func(inventory.Result)) {
	results := make(chan inventory.Result, 128)
	go func() {
		defer close(results)
		for r := range scan(ctx, cfg, in, targets...) {
			select {
			case results <- r:
			case <-ctx.Done():
				return
			}
		}
	}()
	stopped := ctx.Done()
	var late <-chan time.Time
	for {
		select {
		case r, more := <-results:
			if !more {
				return
			}
			take(r)
		case <-stopped:
			stopped, late = nil, time.After(stopPatience)
		case <-late:
			return
		}
	}
}
