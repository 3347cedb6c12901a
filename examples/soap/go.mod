module github.com/go-pkioverheid/trust/examples/soap

go 1.26.0

require (
	github.com/go-pkioverheid/trust v0.0.0
	github.com/hooklift/gowsdl v0.5.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/pavlo-v-chernykh/keystore-go/v4 v4.5.0 // indirect
	github.com/smallstep/pkcs7 v0.2.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.55.0 // indirect
	software.sslmate.com/src/go-pkcs12 v0.7.4 // indirect
)

replace github.com/go-pkioverheid/trust => ../..
