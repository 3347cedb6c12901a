// Package logius connects to the services of Logius that its replacement plan of
// 2020 names: BSNk, DigiD, DigiD Machtigen and MijnOverheid. It knows which
// hierarchies each needs and at which hosts it is, and reads the documents in which
// these services publish certificates.
//
//	own, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: "client.p7b", Key: "client.key"})
//	...
//	client, err := logius.DigiDMachtigen().NewClient(logius.Production, pkioverheid.ClientConfig{KeyPairs: []*pkioverheid.KeyPair{own}})
//
// # What to use
//
//   - [Services] has what was published of the services, as data.
//   - [Service.NewClient] trusts what one service needs and connects to its hosts only.
//   - A [Keyring] fetches SAML metadata (DigiD), has samlsig.VerifyMetadata verify it,
//     and keeps the certificates of it that verify and bear their party's OIN.
//     Network metadata (BSNk) is given to it by [Keyring.Update].
//   - [ReadCPA] reads the agreement for ebMS2 (MijnOverheid), [CPA.Check] checks it,
//     and [RegisterCertificate] makes what the CPA register takes.
//   - [CheckDigiDCertificates] has DigiD's rules for your own certificates.
//
// # Signatures of documents
//
// Package samlsig verifies the signature of SAML metadata. [ReadMetadata] does not, nor
// does [ReadCPA]: none of the CPAs seen is signed.
//
// # From G1 to G4
//
// Each service needs Private G1 today, and its successor Private G4 from a day on
// that is not public; the clients here trust both. What the plan of 2020 says
// is in the fields of [Service], each with its date, and can have changed since:
// your agreement with Logius goes first.
//
// # Details
//
// ReadCPA. These are errors too: a DTD, an encoding other than UTF-8, a tp:Certificate
// without a certificate, a certId that comes twice, a reference to a certId that the party
// does not have, and a document without parties.
//
// ReadMetadata. It reads an EntityDescriptor, or EntitiesDescriptors with these in them.
// Certificates elsewhere, such as in the document's own signature, are skipped. These are
// errors too: a DTD, an encoding other than UTF-8, an entityID that comes twice, and metadata
// without any certificate.
//
// Service.NewClient. An http proxy in cfg.Base, or of the program's environment, is used. A
// ServerName in cfg.Base is an error.
package logius
