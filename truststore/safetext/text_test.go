package safetext_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

func TestPrintable(t *testing.T) {
	assert.Equal(t, `a\xffb\u{0}�é…`, safetext.Printable("a\xffb\x00\ufffdéé", 9))
	assert.Equal(t, "a b--c", safetext.Printable("a b--c", 9))
	assert.Equal(t, "…", safetext.Printable("é", 1))
	assert.Equal(t, `\u{1b}[2J`, safetext.Printable("\x1b[2J", 9))
}

func TestErrorsOfOthersAreShortened(t *testing.T) {
	assert.NoError(t, safetext.Error(nil))
	small := errors.New("a\nb")
	assert.ErrorIs(t, safetext.Error(small), small)
	assert.EqualError(t, safetext.Error(small), `a\u{a}b`)
	assert.LessOrEqual(t, len(safetext.Error(errors.New(strings.Repeat("\n", 5000))).Error()), safetext.MostError)
}
