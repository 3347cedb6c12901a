package pkioverheid

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"slices"
)

// verifiable reports whether the client can verify what it would be shown: the
// signatures of the certificates, and that of the handshake. tls's own
// ClientHelloInfo.SupportsCertificate does not look at the first, and fails where the
// client asks for another name. most is the server's MaxVersion, 0 for the newest.
func verifiable(pair *tls.Certificate, hello *tls.ClientHelloInfo, most uint16) bool {
	offered := hello.SignatureSchemes
	tls13 := slices.Contains(hello.SupportedVersions, tls.VersionTLS13) && (most == 0 || most >= tls.VersionTLS13)
	if !tls13 && !suitable(pair.Leaf, hello) {
		return false
	}
	if !slices.ContainsFunc(schemesOf(pair.Leaf, tls13), func(s tls.SignatureScheme) bool {
		return slices.Contains(offered, s)
	}) {
		return false
	}
	for _, der := range pair.Certificate {
		cert, err := x509.ParseCertificate(der)
		if err != nil || !slices.Contains(offered, schemeOf[cert.SignatureAlgorithm]) {
			return false
		}
	}
	return true
}

// suitable reports whether the client offers a cipher suite of TLS 1.2, and for an
// elliptic curve that curve, for the key of the certificate.
func suitable(cert *x509.Certificate, hello *tls.ClientHelloInfo) bool {
	rsaSuites := []uint16{
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	}
	_, isRSA := cert.PublicKey.(*rsa.PublicKey)
	if key, ok := cert.PublicKey.(*ecdsa.PublicKey); ok {
		curve := map[int]tls.CurveID{256: tls.CurveP256, 384: tls.CurveP384, 521: tls.CurveP521}[key.Params().BitSize]
		if !slices.Contains(hello.SupportedCurves, curve) {
			return false
		}
	}
	return slices.ContainsFunc(cipherSuites(), func(id uint16) bool {
		return slices.Contains(rsaSuites, id) == isRSA && slices.Contains(hello.CipherSuites, id)
	})
}

// schemesOf are those with which the certificate's key can sign a handshake.
func schemesOf(cert *x509.Certificate, tls13 bool) []tls.SignatureScheme {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		schemes := []tls.SignatureScheme{tls.PSSWithSHA256, tls.PSSWithSHA384, tls.PSSWithSHA512}
		if !tls13 {
			schemes = append(schemes, tls.PKCS1WithSHA256, tls.PKCS1WithSHA384, tls.PKCS1WithSHA512)
		}
		return schemes
	case *ecdsa.PublicKey:
		if !tls13 {
			return []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384, tls.ECDSAWithP521AndSHA512}
		}
		switch key.Params().BitSize {
		case 256:
			return []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}
		case 384:
			return []tls.SignatureScheme{tls.ECDSAWithP384AndSHA384}
		case 521:
			return []tls.SignatureScheme{tls.ECDSAWithP521AndSHA512}
		}
	case ed25519.PublicKey:
		return []tls.SignatureScheme{tls.Ed25519}
	}
	return nil
}

// schemeOf are the TLS numbers of the algorithms by which certificates are signed.
var schemeOf = map[x509.SignatureAlgorithm]tls.SignatureScheme{
	x509.SHA256WithRSA:    tls.PKCS1WithSHA256,
	x509.SHA384WithRSA:    tls.PKCS1WithSHA384,
	x509.SHA512WithRSA:    tls.PKCS1WithSHA512,
	x509.SHA256WithRSAPSS: tls.PSSWithSHA256,
	x509.SHA384WithRSAPSS: tls.PSSWithSHA384,
	x509.SHA512WithRSAPSS: tls.PSSWithSHA512,
	x509.ECDSAWithSHA256:  tls.ECDSAWithP256AndSHA256,
	x509.ECDSAWithSHA384:  tls.ECDSAWithP384AndSHA384,
	x509.ECDSAWithSHA512:  tls.ECDSAWithP521AndSHA512,
	x509.PureEd25519:      tls.Ed25519,
}
