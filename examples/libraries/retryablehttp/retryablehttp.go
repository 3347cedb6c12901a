// Package retryablehttp calls with github.com/hashicorp/go-retryablehttp, which would
// repeat a call whose certificate was refused: its policy knows the errors of crypto/x509
// and not ours.
package retryablehttp

import (
	"context"
	"errors"
	"net/http"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
)

// glue begins

// CheckRetry does not repeat what a repetition does not change. A guess, and a CRL that
// was not there, it leaves to the policy of the library.
func CheckRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	var server *pkioverheid.ServerCertificateError
	var client *pkioverheid.ClientCertificateError
	if errors.As(err, &server) && server.Reason != chain.RevocationUnknown || errors.As(err, &client) && !client.Guess {
		return false, err
	}
	return retryablehttp.DefaultRetryPolicy(ctx, resp, err)
}

// glue ends

// NewClient makes a client that repeats what may come right.
func NewClient(cfg pkioverheid.ClientConfig) (*retryablehttp.Client, error) {
	t, err := pkioverheid.NewTransport(cfg)
	if err != nil {
		return nil, err
	}
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.HTTPClient.Transport = t
	client.CheckRetry = CheckRetry // glue
	return client, nil
}
