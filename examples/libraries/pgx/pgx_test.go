package pgx_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/examples/libraries/pgx"
	"github.com/go-pkioverheid/trust/pkioverheid"
)

func TestAWrongAddressIsAnError(t *testing.T) {
	_, err := pgx.Connect(t.Context(), "localhost", pkioverheid.ClientConfig{})
	assert.ErrorContains(t, err, "missing port")
}
