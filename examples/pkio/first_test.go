package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
)

// The box and the sentence under it say the same about a date.
func TestOnTheDayOfItsDeadlineNothingIsOverdue(t *testing.T) {
	a := &audit{}
	a.Run.At = time.Date(2026, time.November, 29, 10, 0, 0, 0, time.UTC)
	a.Certificates = []*certificate{{Name: "a.example", Do: classSoon, Deadline: "2026-11-29", Places: []place{{Target: "t", Path: "a.pem"}}}}
	a.Summary.Count(a.Certificates[0])
	_, long := a.lead()
	require.Len(t, long, 1)
	assert.Contains(t, long[0], "It is due on 29 November 2026.")
	assert.Equal(t, "By 29 November 2026", a.first(a.actions()).When)
}

func TestWhatIsRevokedIsForNow(t *testing.T) {
	a := &audit{}
	a.Certificates = []*certificate{{Name: "a.example", Do: classNow, Status: model.Revoked, Places: []place{{Target: "t", Path: "a.pem"}}}}
	assert.Equal(t, "Now", a.first(a.actions()).When)
}
