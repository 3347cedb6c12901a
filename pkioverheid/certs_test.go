package pkioverheid

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pinned are the certificates as published, with the SHA-256 of each and of its
// public key (facts.md §1). A new CA is a new file and a new row here.
var pinned = []struct {
	file      string
	cn        string
	sha256    string
	publicKey string
}{
	{"ev/staat-der-nederlanden-ev-root-ca.pem", "Staat der Nederlanden EV Root CA", "4d2491414cfe956746ec4cefa6cf6f72e28a1329432f9d8a907ac4cb5dadc15a", "951ee046fa83316e6786c08c44f13b4ca2ead2d2644d63314391c0cc70887d0d"},
	{"ev/staat-der-nederlanden-domein-server-ca-2020.pem", "Staat der Nederlanden Domein Server CA 2020", "0da914fb7125f6e644eb7aa261de9eb809dc7f925b6b2a7d8a7edd8736398b5b", "37df9896e4c251afc74d773ad10c635117812e94678809082b637ce03860996e"},
	{"ev/digidentity-pkioverheid-server-ca-2020.pem", "Digidentity PKIoverheid Server CA 2020", "37610bf756ca4c3cfa18696c4c149738e644ca9f676387ec50167365d6a45cca", "0e798bcc7667fa92da40a67d73a95847904eaa164c7b2e3af541794f58677b69"},
	{"ev/kpn-pkioverheid-server-ca-2020.pem", "KPN PKIoverheid Server CA 2020", "592e1a2f0a34284b0e26fcb4fed22af859848eee8822adb61b42dab47a2ffdc2", "61aa3e460cc89583615dceb9721f48a4acd244551288bd3512df1ceac3785cb5"},
	{"ev/quovadis-pkioverheid-server-ca-2020.pem", "QuoVadis PKIoverheid Server CA 2020", "eb2c2a806c69fc963c4e24a5bbea20ed4e3b86ae798730bb4eea51bf9de33325", "52bbb80d6c7e37e26ed4b30e0541ebf25d4616a529d12d887a788d75424c9fe6"},
	{"private-g1/staat-der-nederlanden-private-root-ca-g1.pem", "Staat der Nederlanden Private Root CA - G1", "0257ce27b52408e24ee2c0945640b723c5bc66ddbda4ada58c60357604f0e675", "267e97c95d87e1e1579682bc65e57d53e91c3f6015f5b82117a4aeedf994bea0"},
	{"private-g1/staat-der-nederlanden-private-services-ca-g1.pem", "Staat der Nederlanden Private Services CA - G1", "2eaaf678e645dc26ea82c016ef3960935659cf81b4c44d9b2d0fb1a142666c98", "4d023eea2b02decec6262b3d35892cfdd6fb797cd00346c6c329c24b435fe84c"},
	{"private-g1/digicert-quovadis-pkioverheid-private-services-ca-2023.pem", "DigiCert QuoVadis PKIoverheid Private Services CA - 2023", "b63a82ce98e9fe704dc42b7cb4b63d4bf0646b1d0754f9a4c696a4afb39436bc", "53f6912f528bcdec6509685f81058a595862f9462b76a77540f0cf38c6eebf7b"},
	{"private-g1/digidentity-bv-pkioverheid-private-services-ca-g1.pem", "Digidentity BV PKIoverheid Private Services CA - G1", "bfe8f634772b0ec2cd2a41a17fc7612577d7e24f934073dec89a991b6169687e", "1f3bdcba083e6d158e4976cccb3212dbd35a74ede303931e6346498e688f1d9b"},
	{"private-g1/kpn-pkioverheid-private-services-ca-g1.pem", "KPN PKIoverheid Private Services CA - G1", "bdb68500aaae2563c57b4525784360436d3e3fd8df974b25a77f132cecc2a49d", "10c8e5b72877c33d6c514138f962df50c26c861cf567a515ffe26db63e23f392"},
	{"private-g1/quovadis-pkioverheid-private-services-ca-g1.pem", "QuoVadis PKIoverheid Private Services CA - G1", "69df8d18c54503f83dc239c3dcf8115b2a447efc5defca6119d18e988c12276d", "d82a5b3f97095f3a80a31458f1c888623d4cf91876e362b80b7993b357bc92ec"},
	{"private-g1/uzi-register-private-server-ca-g1.pem", "UZI-register Private Server CA G1", "bdd860ef8e87e2b2c7ebb34dd6e9e1771a3a3c5dec850ba7080e3e2904dbd897", "704caf64abab754bc86c4270f641a9c1a090dc643bf543f532c7fba5a2a91ef5"},
	{"private-g4-tls/staat-der-nederlanden-g4-root-priv-g-tls-2024.pem", "Staat der Nederlanden - G4 Root Priv G-TLS - 2024", "4411f67d3d7f4f49d34ff8862249de0d6692adc92df0855fb1dd67a169800484", "1e4be5fa194c64be78f3ebb3f49f7bd3b714cc5f400e7f96caea1e952aa5165e"},
	{"private-g4-tls/staat-der-nederlanden-g4-intm-priv-g-tls-sys-2024.pem", "Staat der Nederlanden - G4 Intm Priv G-TLS SYS - 2024", "a24f6f2fa192dd96ceeaf8d4c380d8663426f95858956a5adff5cfd36b30554f", "2bc8e212f231d38abd46827adee427e9a788e692b551932f63f87a074040010a"},
	{"private-g4-tls/digicert-g4-pkio-priv-g-tls-sys-2025.pem", "DigiCert - G4 PKIo Priv G-TLS SYS - 2025", "a3234374ce91c000c929c66daade6c85457d61850e6fb388e349fd710a9bb305", "5507d443136d918e27354fd86f26d007d603daa67b7202b3eb165f615bd23bdc"},
	{"private-g4-tls/digidentity-g4-pkio-priv-g-tls-sys-2025.pem", "Digidentity - G4 PKIo Priv G-TLS SYS - 2025", "fc6b0573c096991e59e886e28e314dfd74d96a8ea3976e197f23c2e5c49acd87", "5760d5e4b64d933335227a08bd5bb022088d0c90d06dc34f8d01c7012ba46a2e"},
	{"private-g4-tls/kpn-g4-pkio-priv-g-tls-sys-2025.pem", "KPN - G4 PKIo Priv G-TLS SYS - 2025", "2b4ee93832a4b2ca349e86c21caf8f959b106c2d0aa6fd49a983fca00574d1a6", "ea6c2815e62596439aa9970e2e390176b72df4c71c30c71fe3e92b5a7cef5753"},
	{"private-g4-tls/uzi-server-g4-pkio-priv-g-tls-sys-2025.pem", "UZI Server - G4 PKIo Priv G-TLS SYS - 2025", "b034cbfffcafe784edaef49fefad354edbc7823d8d6522d3da6f8e91ff28aa42", "d305c40e49bf6edabe76501b7c602104509a890e5e4945671c2aef08d14d9bde"},
	{"g3/staat-der-nederlanden-root-ca-g3.pem", "Staat der Nederlanden Root CA - G3", "3c4fb0b95ab8b30032f432b86f535fe172c185d0fd39865837cf36187fa6f428", "4223894003a881c5df6bab163db235c221a18d54bf759945820e670da82e3f39"},
	{"g3/staat-der-nederlanden-organisatie-services-ca-g3.pem", "Staat der Nederlanden Organisatie Services CA - G3", "d9581dbde99b39eeff6ce5c80de1650da0c1c8a109705ed286c53bc95e6655e4", "5a804ccff6c860c72d48f6796618defff7a2935dd3781c8748ae335d8604b004"},
	{"g3/digidentity-bv-pkioverheid-organisatie-server-ca-g3-2018.pem", "Digidentity BV PKIoverheid Organisatie Server CA - G3", "705610723c9613f6413181cadf73d51071bd761fda491423e1abd001501b64f3", "ce6e1eb8d0be2625bee1bcb7c4322fae3340fb8ed54596f7327169cbec551381"},
	{"g3/digidentity-bv-pkioverheid-organisatie-server-ca-g3-2019.pem", "Digidentity BV PKIoverheid Organisatie Server CA - G3", "c7422de21cebc92ecae6be9dcd7e711ee650d30aed711fbb0df6b2c784b6c4fb", "ce6e1eb8d0be2625bee1bcb7c4322fae3340fb8ed54596f7327169cbec551381"},
	{"g3/kpn-bv-pkioverheid-organisatie-server-ca-g3-2016.pem", "KPN BV PKIoverheid Organisatie Server CA - G3", "7e082bbc56976b159d4696540a96b60148614ba9b5e29b2035f789becfbf0657", "ad6d469e926687693d17ab8d2061439b6ecc98bd23e0ed42c326f2c859fe4d7b"},
	{"g3/kpn-bv-pkioverheid-organisatie-server-ca-g3-2019.pem", "KPN BV PKIoverheid Organisatie Server CA - G3", "5679a431e79d4eb9ee967c60d8703c7c78f443f71db97157e43059de42d850df", "ad6d469e926687693d17ab8d2061439b6ecc98bd23e0ed42c326f2c859fe4d7b"},
	{"g3/quovadis-pkioverheid-organisatie-server-ca-g3-2016.pem", "QuoVadis PKIoverheid Organisatie Server CA - G3", "85363a24cb1b66e6cf6244e87d243dbb8306f607357c614cb9c4c224a0e04358", "d110cf9a26797212e32e5d331c201aacf878db6f40f4edd2d36cc45c430e64be"},
	{"g3/quovadis-pkioverheid-organisatie-server-ca-g3-2019.pem", "QuoVadis PKIoverheid Organisatie Server CA - G3", "ce2332390208742a1aca6513974c4c9db2691eaf4568b533e4a17ed5dda973e6", "d110cf9a26797212e32e5d331c201aacf878db6f40f4edd2d36cc45c430e64be"},
}

func TestEveryEmbeddedFileIsTheOnePublished(t *testing.T) {
	var files []string
	require.NoError(t, fs.WalkDir(certFiles, "certs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, strings.TrimPrefix(path, "certs/"))
		}
		return err
	}))
	var rows []string
	for _, p := range pinned {
		rows = append(rows, p.file)
		t.Run(p.file, func(t *testing.T) {
			cert, err := readCertificate("certs/" + p.file)
			require.NoError(t, err)
			sum := sha256.Sum256(cert.Raw)
			assert.Equal(t, p.sha256, hex.EncodeToString(sum[:]))
			sum = sha256.Sum256(cert.RawSubjectPublicKeyInfo)
			assert.Equal(t, p.publicKey, hex.EncodeToString(sum[:]))
			assert.Equal(t, p.cn, cert.Subject.CommonName)
		})
	}
	assert.ElementsMatch(t, files, rows, "a file a row and a row a file")
}

func TestEveryCAVerifiesUpToItsRootBySignature(t *testing.T) {
	for h := EV; h <= G3; h++ {
		certs := h.Certificates()
		roots := x509.NewCertPool() // the root alone: a CA in the pool would verify itself
		roots.AddCert(h.Root())
		between := x509.NewCertPool()
		between.AddCert(certs[1])
		for i, cert := range certs {
			t.Run(h.String()+"/"+cert.Subject.CommonName, func(t *testing.T) {
				if i == 0 {
					assert.NoError(t, cert.CheckSignatureFrom(cert))
					return
				}
				chains, err := cert.Verify(x509.VerifyOptions{
					Roots:         roots,
					Intermediates: between,
					CurrentTime:   cert.NotBefore.Add(time.Hour),
					KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
				})
				require.NoError(t, err)
				wantLength := 3
				if i == 1 {
					wantLength = 2
				}
				assert.Len(t, chains[0], wantLength)
			})
		}
	}
}

func TestHierarchiesAreRootDomainCAAndTSPCAs(t *testing.T) {
	count := map[Hierarchy]int{EV: 5, PrivateG1: 7, PrivateG4TLS: 6, G3: 8}
	for h, n := range count {
		certs := h.Certificates()
		require.Len(t, certs, n, h.String())
		assert.Same(t, h.Root(), certs[0])
		assert.True(t, selfIssued(certs[0]))
		assert.Equal(t, certs[0].RawSubject, certs[1].RawIssuer)
		for _, tsp := range certs[2:] {
			assert.Equal(t, certs[1].RawSubject, tsp.RawIssuer)
		}
		clear(certs)
		assert.NotNil(t, h.Certificates()[0], "a caller's slice is its own")
	}
	assert.Nil(t, Hierarchy(0).Certificates())
	assert.Nil(t, Hierarchy(0).Root())
	assert.Nil(t, Hierarchy(200).Root())
}

func TestIntermediatesHoldsNothingSelfIssuedAndNothingOfG3(t *testing.T) {
	subjects := func(p *x509.CertPool) [][]byte {
		//lint:ignore SA1019 deprecated for system pools, which this is not
		return p.Subjects()
	}
	assert.Len(t, subjects(Intermediates(PrivateG1)), 6)
	assert.Len(t, subjects(Intermediates(EV, PrivateG1, PrivateG4TLS)), 4+6+5)
	assert.Empty(t, subjects(Intermediates(G3)))
	assert.Empty(t, subjects(Intermediates(0)))
	for _, s := range subjects(Intermediates(EV, PrivateG1, PrivateG4TLS, G3)) {
		for h := EV; h <= G3; h++ {
			assert.NotEqual(t, h.Root().RawSubject, s)
		}
	}
}

func TestEveryTrustedCAVerifiesThroughPoolsOfItsRootAndIntermediates(t *testing.T) {
	for _, h := range Hierarchies() {
		root := x509.NewCertPool()
		root.AddCert(h.Root())
		for _, cert := range h.Certificates()[1:] {
			_, err := cert.Verify(x509.VerifyOptions{
				Roots: root, Intermediates: Intermediates(h), CurrentTime: cert.NotBefore.Add(time.Hour),
				KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
			})
			assert.NoError(t, err, cert.Subject.CommonName)
		}
	}
}

func TestNoCABelowTheG3RootVerifiesThroughAnyPool(t *testing.T) {
	pools := map[string]*x509.CertPool{
		"default": DefaultCertPool(), "G3": CertPool(G3), "all": CertPool(EV, PrivateG1, PrivateG4TLS, G3), "none": CertPool(0),
	}
	for name, pool := range pools {
		for _, intermediates := range []*x509.CertPool{nil, Intermediates(G3), Intermediates(PrivateG1, G3)} {
			opts := x509.VerifyOptions{Roots: pool, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
			for _, cert := range G3.Certificates()[1:] {
				opts.CurrentTime = cert.NotBefore.Add(time.Hour)
				_, err := cert.Verify(opts)
				assert.Error(t, err, "%s: %s", name, cert.Subject.CommonName)
			}
		}
	}
}

func TestPoolsMayBeChangedByTheirOwner(t *testing.T) {
	mine := DefaultCertPool()
	mine.AddCert(G3.Root()) // as AppendCertsFromPEM does with an old bundle
	_, err := G3.Certificates()[1].Verify(x509.VerifyOptions{Roots: mine, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	var g3 *G3Error
	assert.ErrorContains(t, err, "G3 refused")
	assert.False(t, errors.As(err, &g3), "crypto/x509 keeps the words only")
	assert.True(t, DefaultCertPool().Equal(CertPool(EV, PrivateG1, PrivateG4TLS)))
	mine = CertPool(PrivateG1)
	other := x509.NewCertPool()
	other.AddCert(PrivateG4TLS.Root())
	mine.AddCert(PrivateG4TLS.Root())
	assert.False(t, mine.Equal(CertPool(PrivateG1)))
	assert.NotNil(t, CertPool(0), "nil would mean the roots of the system")
}
