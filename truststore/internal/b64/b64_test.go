package b64

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sameBase64 checks that Decode does what encoding/base64 does with text without
// blanks. Where there are some, the place of an error is counted without white space.
func sameBase64(t testing.TB, text []byte) {
	stripped := strings.NewReplacer(" ", "", "\t", "").Replace(string(text))
	want, wantErr := base64.StdEncoding.Strict().DecodeString(stripped)
	got, err := Decode(text)
	switch {
	case wantErr != nil && len(stripped) < len(text):
		require.ErrorContains(t, err, "damaged base64: ", "%q", text)
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

// It is decoded in pieces, so that padding can be at the end of one.
func TestBase64WithBlanksIsThatWithout(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, size := range []int{1, 47, 3071, 3072, 3073, 6143, 6144, 20000} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		text := base64.StdEncoding.EncodeToString(data)
		for _, more := range []string{"", "A", "AAAA", "=", "!"} {
			for at := range 80 {
				at = min(at*53, len(text))
				sameBase64(t, []byte(text[:at]+" \t\n"+text[at:]+" "+more+"\n"))
			}
		}
	}
}

func FuzzBase64(f *testing.F) {
	f.Add([]byte("MIIB\nAAAA\r\nBB=="))
	f.Fuzz(func(t *testing.T, text []byte) {
		sameBase64(t, text)
	})
}
