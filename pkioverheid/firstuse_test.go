package pkioverheid_test

import (
	"crypto/x509"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// The certificates are parsed on first use, here from many goroutines, in a
// process in which nothing has used them yet.
func TestFirstUseFromManyGoroutines(t *testing.T) {
	const child = "PKIOVERHEID_TEST_FIRST_USE"
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFirstUseFromManyGoroutines$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		assert.Contains(t, string(out), "--- PASS: TestFirstUseFromManyGoroutines")
		return
	}
	start := make(chan struct{})
	var wg sync.WaitGroup
	for _, use := range []func(){
		func() {
			pkioverheid.ClaimOf(new(x509.Certificate))
			pkioverheid.ClaimOf(pkioverheid.PrivateG1.Root())
		},
		func() { assert.NotNil(t, pkioverheid.DefaultCertPool()) },
		func() { assert.Error(t, pkioverheid.RejectG3(pkioverheid.G3.Certificates())) },
		func() { assert.NotNil(t, pkioverheid.CertPool(pkioverheid.PrivateG4TLS)) },
		func() { _, err := pkioverheid.NewClient(pkioverheid.ClientConfig{}); assert.NoError(t, err) },
		func() { assert.Len(t, pkioverheid.EV.Certificates(), 5) },
	} {
		for range 8 {
			wg.Go(func() { <-start; use() })
		}
	}
	close(start)
	wg.Wait()
}
