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

// The box and the rows under it name the same things in the same order.
func TestTheFirstRowsAreThoseOfTheBox(t *testing.T) {
	a := &audit{}
	for _, c := range []struct{ name, supplier string }{{"a.example", "KPN"}, {"b.example", "DigiCert"}} {
		a.Certificates = append(a.Certificates, &certificate{Name: c.name, Supplier: c.supplier, Do: classNow, Deadline: "2020-12-31", Overdue: true,
			Places: []place{{Target: "t", Path: c.name + "/<b>.pem"}}})
	}
	all := a.actions()
	box := a.first(all)
	assert.Equal(t, "Replace b.example, a.example", box.What)
	assert.Equal(t, "Ask DigiCert for new certificates. Ask KPN for new certificates.", box.How)
	assert.Equal(t, []string{"b.example", "a.example"}, []string{all[0].Certificates[0].Name, all[1].Certificates[0].Name})
}

func TestAPathBreaksAfterASlashAndIsText(t *testing.T) {
	assert.EqualValues(t, "a/<wbr>&lt;b&gt;/<wbr>&#34;c&amp;", breaks(`a/<b>/"c&`))
}
