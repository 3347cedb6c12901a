module github.com/go-pkioverheid/trust

go 1.25.7

require github.com/stretchr/testify v1.12.1

require github.com/pavlo-v-chernykh/keystore-go/v4 v4.5.0

require (
	github.com/smallstep/pkcs7 v0.2.3
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.55.0
	software.sslmate.com/src/go-pkcs12 v0.7.4
)
