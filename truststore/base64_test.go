package truststore

import (
	"encoding/base64"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// sameBase64 checks that decodeBase64 does what encoding/base64 does.
func sameBase64(t testing.TB, text []byte) {
	want, wantErr := base64.StdEncoding.Strict().DecodeString(string(text))
	got, err := decodeBase64(text)
	switch {
	case wantErr != nil:
		require.EqualError(t, err, "damaged base64: "+wantErr.Error(), "%q", text)
	case len(want) == 0:
		require.EqualError(t, err, "it is empty")
	default:
		require.NoError(t, err, "%q", text)
		require.Equal(t, want, got, "%q", text)
	}
}

func TestBase64IsThatOfTheStandardLibrary(t *testing.T) {
	const characters = "ABab01+/=\r\n\n\n\x00\xff-_"
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		data := make([]byte, random.IntN(100))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		text := []byte(base64.StdEncoding.EncodeToString(data))
		for range random.IntN(4) { // a line break, or damage
			if len(text) > 0 {
				at, c := random.IntN(len(text)), characters[random.IntN(len(characters))]
				if random.IntN(3) == 0 {
					text[at] = c
				} else {
					text = append(text[:at], append([]byte{c}, text[at:]...)...)
				}
			}
		}
		sameBase64(t, text)
	}
}

func FuzzBase64(f *testing.F) {
	f.Add([]byte("MIIB\nAAAA\r\nBB=="))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, c := range text {
			if c == ' ' || c == '\t' {
				t.Skip("decodeBase64 passes over these, encoding/base64 does not")
			}
		}
		sameBase64(t, text)
	})
}
