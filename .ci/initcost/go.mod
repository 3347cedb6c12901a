module initcost

go 1.26.0

require github.com/go-pkioverheid/trust v0.0.0

require (
	golang.org/x/crypto v0.55.0 // indirect
	golang.org/x/crypto/x509roots/fallback v0.0.0-20261030153154-30a33513ff6d
)

replace github.com/go-pkioverheid/trust => ../..
