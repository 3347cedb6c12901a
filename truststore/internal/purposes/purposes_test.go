package purposes

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzCertAux(f *testing.F) {
	for _, text := range []string{
		// Trusted for servers, rejected for signing of code, with a name and an identifier.
		"3025300a06082b06010505070301a00a06082b060105050703030c05616c69617304026964a100",
		"300830060604551d2500",
	} {
		aux, err := hex.DecodeString(text)
		require.NoError(f, err)
		_, err = ReadCertAux(aux)
		require.NoError(f, err)
		f.Add(aux)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ReadCertAux(data)
		restriction := p.Restriction()
		require.Less(t, len(restriction), 4000)
		if err == nil && len(p.rejected) > 0 {
			require.NotEmpty(t, restriction)
		}
	})
}
