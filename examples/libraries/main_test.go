package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatEachLibraryKeepsOfARefusal(t *testing.T) {
	for _, l := range libraries {
		want := [outcomes]string{}
		switch l.folder {
		case "nats", "grpc": // their handshakes have no context
			want[refusedInTLS12], want[refusedInTLS13] = lostSent, lostSent
		}
		for o := range outcomes {
			t.Run(l.folder+", "+o.String(), func(t *testing.T) {
				t.Parallel()
				err, failed := l.try(t.Context(), o)
				require.NoError(t, failed)
				require.Error(t, err)
				assert.Equal(t, want[o], lost(o, err), "%v", err)
			})
		}
	}
}

// Without our lines the cases are not explained, or the table would say nothing.
func TestWithoutGlueTheErrorIsLost(t *testing.T) {
	for o := range outcomes {
		assert.Equal(t, lostAll, lost(o, os.ErrNotExist))
	}
}

func TestTheREADMEHasTheTable(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	var table strings.Builder
	require.NoError(t, demonstrate(t.Context(), &table))
	assert.Contains(t, string(readme), table.String(), "copy what go run . prints")
}
