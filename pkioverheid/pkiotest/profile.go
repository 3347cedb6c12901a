package pkiotest

import (
	"crypto"
	"crypto/x509"
	"embed"
	"encoding/pem"
	"fmt"
	"sync"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
)

// keyFiles holds the private keys of the CAs of package fixture and of leaves.
// Anybody may read them.
//
//go:embed keys/*/*.pem
var keyFiles embed.FS

// profile is what certificates of a hierarchy look like.
type profile struct {
	cas      []ca     // in the order of fixture.Certificates
	policies []string // of a server's certificate

	// organizationIdentifier is set for G4, which puts the number of the organisation
	// in the subject.
	organizationIdentifier bool

	// leafKeys are dealt out in turn.
	leafKeys []func() crypto.Signer
}

// ca has what the certificate of a CA does not say: its key, and the addresses
// in the certificates that it issues. The two addresses of G1 CRLs were seen in real
// certificates, the others are in their style; nothing answers there for a
// fixture CA.
type ca struct {
	key    func() crypto.Signer
	crl    string
	issuer string
}

var (
	rsa2048 = []func() crypto.Signer{key("leaf/rsa-2048-1"), key("leaf/rsa-2048-2"), key("leaf/rsa-2048-3")}
	rsa3072 = []func() crypto.Signer{key("leaf/rsa-3072-1"), key("leaf/rsa-3072-2"), key("leaf/rsa-3072-3")}
	p256    = key("leaf/ecdsa-p256")

	// kpnG3 is one CA with two certificates.
	kpnG3 = ca{
		key:    key("g3/kpn-bv-pkioverheid-organisatie-server-ca-g3"),
		crl:    "http://crl.managedpki.com/KPNBVPKIoverheidOrganisatieServerCAG3/LatestCRL.crl",
		issuer: "http://cert.managedpki.com/CACerts/KPNBVPKIoverheidOrganisatieServerCAG3.cer",
	}
)

var profiles = map[pkioverheid.Hierarchy]profile{
	pkioverheid.EV: {
		cas: []ca{
			{key: key("ev/staat-der-nederlanden-ev-root-ca")},
			{key: key("ev/staat-der-nederlanden-domein-server-ca-2020")},
			{
				key:    key("ev/kpn-pkioverheid-server-ca-2020"),
				crl:    "http://crl.managedpki.com/KPNPKIoverheidServerCA2020/LatestCRL.crl",
				issuer: "http://cert.managedpki.com/CACerts/KPNPKIoverheidServerCA2020.cer",
			},
			{
				key:    key("ev/quovadis-pkioverheid-server-ca-2020"),
				crl:    "http://crl.quovadisglobal.com/pkioserver2020.crl",
				issuer: "http://trust.quovadisglobal.com/pkioserver2020.crt",
			},
		},
		policies: []string{policy.EVServer, "2.23.140.1.2.2"},
		leafKeys: rsa2048,
	},
	pkioverheid.PrivateG1: {
		cas: []ca{
			{key: key("private-g1/staat-der-nederlanden-private-root-ca-g1")},
			{key: key("private-g1/staat-der-nederlanden-private-services-ca-g1")},
			{
				key:    key("private-g1/kpn-pkioverheid-private-services-ca-g1"),
				crl:    "http://crl.managedpki.com/KPNBVPKIoverheidPrivateServicesCAG1/LatestCRL.crl",
				issuer: "http://cert.managedpki.com/CACerts/KPNBVPKIoverheidPrivateServicesCAG1.cer",
			},
			{
				key:    key("private-g1/quovadis-pkioverheid-private-services-ca-g1"),
				crl:    "http://crl.quovadisglobal.com/pkioprivservg1.crl",
				issuer: "http://trust.quovadisglobal.com/pkioprivservg1.crt",
			},
		},
		policies: []string{policy.G1Server},
		leafKeys: rsa2048,
	},
	pkioverheid.PrivateG4TLS: {
		cas: []ca{
			{key: key("private-g4-tls/staat-der-nederlanden-g4-root-priv-g-tls-2024")},
			{key: key("private-g4-tls/staat-der-nederlanden-g4-intm-priv-g-tls-sys-2024")},
			{
				key:    key("private-g4-tls/kpn-g4-pkio-priv-g-tls-sys-2025"),
				crl:    "http://crl.managedpki.com/KPNG4PKIoPrivGTLSSYS2025/LatestCRL.crl",
				issuer: "http://cert.managedpki.com/CACerts/KPNG4PKIoPrivGTLSSYS2025.cer",
			},
			{
				key:    key("private-g4-tls/digidentity-g4-pkio-priv-g-tls-sys-2025"),
				crl:    "http://pki.digidentity.eu/DigidentityG4PKIoPrivGTLSSYS2025/latestCRL.crl",
				issuer: "http://pki.digidentity.eu/DigidentityG4PKIoPrivGTLSSYS2025/ca.cer",
			},
		},
		policies:               []string{policy.G4Server},
		organizationIdentifier: true,
		leafKeys:               rsa3072,
	},
	pkioverheid.G3: {
		cas: []ca{
			{key: key("g3/staat-der-nederlanden-root-ca-g3")},
			{key: key("g3/staat-der-nederlanden-organisatie-services-ca-g3")},
			kpnG3, // 2019
			kpnG3, // 2016
		},
		policies: []string{policy.G3Server},
		leafKeys: rsa2048,
	},
}

// key returns a function that parses the private key of that name on its first
// call. An RSA-4096 key takes half a millisecond, so no test should pay for keys
// that it does not use.
func key(name string) func() crypto.Signer {
	return sync.OnceValue(func() crypto.Signer {
		file := "keys/" + name + ".pem"
		data, err := keyFiles.ReadFile(file)
		if err != nil {
			panic("pkiotest: " + err.Error())
		}
		block, _ := pem.Decode(data)
		if block == nil {
			panic("pkiotest: " + file + ": no PEM in it")
		}
		k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			panic(fmt.Sprintf("pkiotest: %s: %v", file, err))
		}
		signer, ok := k.(crypto.Signer)
		if !ok {
			panic(fmt.Sprintf("pkiotest: %s: a %T cannot sign", file, k))
		}
		return signer
	})
}
