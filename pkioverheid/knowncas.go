package pkioverheid

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// knownCA is a CA of PKIoverheid that this package knows: what is published, in text.
type knownCA struct {
	since     string // the day on which the row was added or last changed
	hierarchy Hierarchy
	cn, o     string // of the subject, whose country is NL; without o it is not recognised by name
	withdrawn string // the day; empty for a CA that was not withdrawn
	source    string // who says so; empty for G3
	file      string // below certs; empty for a CA of which no certificate is available
	sha256    string // of the certificate in the file
	key       string // SHA-256 of the public key; empty if that is not known
}

// knownCAs is the table of the CAs of PKIoverheid (facts.md §1, §2, §5 and §10). A new
// CA is a row here and, where its certificate is available, a file below certs; a
// withdrawal is a change of its row. The organisations of those that are not embedded
// are those of the same providers' other CAs.
var knownCAs = [...]knownCA{
	{since: "2026-11-23", hierarchy: EV, cn: "Staat der Nederlanden EV Root CA", o: "Staat der Nederlanden", file: "ev/staat-der-nederlanden-ev-root-ca.pem", sha256: "4d2491414cfe956746ec4cefa6cf6f72e28a1329432f9d8a907ac4cb5dadc15a", key: "951ee046fa83316e6786c08c44f13b4ca2ead2d2644d63314391c0cc70887d0d"},
	{since: "2026-11-23", hierarchy: EV, cn: "Staat der Nederlanden Domein Server CA 2020", o: "Staat der Nederlanden", file: "ev/staat-der-nederlanden-domein-server-ca-2020.pem", sha256: "0da914fb7125f6e644eb7aa261de9eb809dc7f925b6b2a7d8a7edd8736398b5b", key: "37df9896e4c251afc74d773ad10c635117812e94678809082b637ce03860996e"},
	{since: "2026-11-23", hierarchy: EV, cn: "Digidentity PKIoverheid Server CA 2020", o: "Digidentity B.V.", file: "ev/digidentity-pkioverheid-server-ca-2020.pem", sha256: "37610bf756ca4c3cfa18696c4c149738e644ca9f676387ec50167365d6a45cca", key: "0e798bcc7667fa92da40a67d73a95847904eaa164c7b2e3af541794f58677b69"},
	{since: "2026-11-23", hierarchy: EV, cn: "KPN PKIoverheid Server CA 2020", o: "KPN B.V.", file: "ev/kpn-pkioverheid-server-ca-2020.pem", sha256: "592e1a2f0a34284b0e26fcb4fed22af859848eee8822adb61b42dab47a2ffdc2", key: "61aa3e460cc89583615dceb9721f48a4acd244551288bd3512df1ceac3785cb5"},
	{since: "2026-11-23", hierarchy: EV, cn: "QuoVadis PKIoverheid Server CA 2020", o: "QuoVadis Trustlink B.V.", file: "ev/quovadis-pkioverheid-server-ca-2020.pem", sha256: "eb2c2a806c69fc963c4e24a5bbea20ed4e3b86ae798730bb4eea51bf9de33325", key: "52bbb80d6c7e37e26ed4b30e0541ebf25d4616a529d12d887a788d75424c9fe6"},
	{since: "2026-11-28", hierarchy: EV, cn: "Staat der Nederlanden EV Intermediair CA", o: "Staat der Nederlanden"},
	{since: "2026-11-28", hierarchy: EV, cn: "KPN PKIoverheid EV CA", o: "KPN B.V.", withdrawn: "2018-09-27", source: sourceOneCRL, key: "4579a92665dbc4812133709f665b8c6bff19df5887b9092d2a69bacdf7cc186f"},
	{since: "2026-11-23", hierarchy: PrivateG1, cn: "Staat der Nederlanden Private Root CA - G1", o: "Staat der Nederlanden", file: "private-g1/staat-der-nederlanden-private-root-ca-g1.pem", sha256: "0257ce27b52408e24ee2c0945640b723c5bc66ddbda4ada58c60357604f0e675", key: "267e97c95d87e1e1579682bc65e57d53e91c3f6015f5b82117a4aeedf994bea0"},
	{since: "2026-11-23", hierarchy: PrivateG1, cn: "Staat der Nederlanden Private Services CA - G1", o: "Staat der Nederlanden", file: "private-g1/staat-der-nederlanden-private-services-ca-g1.pem", sha256: "2eaaf678e645dc26ea82c016ef3960935659cf81b4c44d9b2d0fb1a142666c98", key: "4d023eea2b02decec6262b3d35892cfdd6fb797cd00346c6c329c24b435fe84c"},
	{since: "2026-11-23", hierarchy: PrivateG1, cn: "DigiCert QuoVadis PKIoverheid Private Services CA - 2023", o: "QuoVadis Trustlink B.V.", file: "private-g1/digicert-quovadis-pkioverheid-private-services-ca-2023.pem", sha256: "b63a82ce98e9fe704dc42b7cb4b63d4bf0646b1d0754f9a4c696a4afb39436bc", key: "53f6912f528bcdec6509685f81058a595862f9462b76a77540f0cf38c6eebf7b"},
	{since: "2026-11-23", hierarchy: PrivateG1, cn: "Digidentity BV PKIoverheid Private Services CA - G1", o: "Digidentity B.V.", file: "private-g1/digidentity-bv-pkioverheid-private-services-ca-g1.pem", sha256: "bfe8f634772b0ec2cd2a41a17fc7612577d7e24f934073dec89a991b6169687e", key: "1f3bdcba083e6d158e4976cccb3212dbd35a74ede303931e6346498e688f1d9b"},
	{since: "2026-11-23", hierarchy: PrivateG1, cn: "KPN PKIoverheid Private Services CA - G1", o: "KPN B.V.", file: "private-g1/kpn-pkioverheid-private-services-ca-g1.pem", sha256: "bdb68500aaae2563c57b4525784360436d3e3fd8df974b25a77f132cecc2a49d", key: "10c8e5b72877c33d6c514138f962df50c26c861cf567a515ffe26db63e23f392"},
	{since: "2026-11-23", hierarchy: PrivateG1, cn: "QuoVadis PKIoverheid Private Services CA - G1", o: "QuoVadis Trustlink B.V.", file: "private-g1/quovadis-pkioverheid-private-services-ca-g1.pem", sha256: "69df8d18c54503f83dc239c3dcf8115b2a447efc5defca6119d18e988c12276d", key: "d82a5b3f97095f3a80a31458f1c888623d4cf91876e362b80b7993b357bc92ec"},
	{since: "2026-11-23", hierarchy: PrivateG1, cn: "UZI-register Private Server CA G1", o: "CIBG", file: "private-g1/uzi-register-private-server-ca-g1.pem", sha256: "bdd860ef8e87e2b2c7ebb34dd6e9e1771a3a3c5dec850ba7080e3e2904dbd897", key: "704caf64abab754bc86c4270f641a9c1a090dc643bf543f532c7fba5a2a91ef5"},
	{since: "2026-11-23", hierarchy: PrivateG4TLS, cn: "Staat der Nederlanden - G4 Root Priv G-TLS - 2024", o: "Staat der Nederlanden", file: "private-g4-tls/staat-der-nederlanden-g4-root-priv-g-tls-2024.pem", sha256: "4411f67d3d7f4f49d34ff8862249de0d6692adc92df0855fb1dd67a169800484", key: "1e4be5fa194c64be78f3ebb3f49f7bd3b714cc5f400e7f96caea1e952aa5165e"},
	{since: "2026-11-23", hierarchy: PrivateG4TLS, cn: "Staat der Nederlanden - G4 Intm Priv G-TLS SYS - 2024", o: "Staat der Nederlanden", file: "private-g4-tls/staat-der-nederlanden-g4-intm-priv-g-tls-sys-2024.pem", sha256: "a24f6f2fa192dd96ceeaf8d4c380d8663426f95858956a5adff5cfd36b30554f", key: "2bc8e212f231d38abd46827adee427e9a788e692b551932f63f87a074040010a"},
	{since: "2026-11-23", hierarchy: PrivateG4TLS, cn: "DigiCert - G4 PKIo Priv G-TLS SYS - 2025", o: "DigiCert Europe Netherlands B.V.", file: "private-g4-tls/digicert-g4-pkio-priv-g-tls-sys-2025.pem", sha256: "a3234374ce91c000c929c66daade6c85457d61850e6fb388e349fd710a9bb305", key: "5507d443136d918e27354fd86f26d007d603daa67b7202b3eb165f615bd23bdc"},
	{since: "2026-11-23", hierarchy: PrivateG4TLS, cn: "Digidentity - G4 PKIo Priv G-TLS SYS - 2025", o: "Digidentity B.V.", file: "private-g4-tls/digidentity-g4-pkio-priv-g-tls-sys-2025.pem", sha256: "fc6b0573c096991e59e886e28e314dfd74d96a8ea3976e197f23c2e5c49acd87", key: "5760d5e4b64d933335227a08bd5bb022088d0c90d06dc34f8d01c7012ba46a2e"},
	{since: "2026-11-23", hierarchy: PrivateG4TLS, cn: "KPN - G4 PKIo Priv G-TLS SYS - 2025", o: "KPN B.V.", file: "private-g4-tls/kpn-g4-pkio-priv-g-tls-sys-2025.pem", sha256: "2b4ee93832a4b2ca349e86c21caf8f959b106c2d0aa6fd49a983fca00574d1a6", key: "ea6c2815e62596439aa9970e2e390176b72df4c71c30c71fe3e92b5a7cef5753"},
	{since: "2026-11-23", hierarchy: PrivateG4TLS, cn: "UZI Server - G4 PKIo Priv G-TLS SYS - 2025", o: "CIBG", file: "private-g4-tls/uzi-server-g4-pkio-priv-g-tls-sys-2025.pem", sha256: "b034cbfffcafe784edaef49fefad354edbc7823d8d6522d3da6f8e91ff28aa42", key: "d305c40e49bf6edabe76501b7c602104509a890e5e4945671c2aef08d14d9bde"},
	{since: "2026-11-23", hierarchy: PrivateG4TLS, cn: "UZI Server - G4 PKIo Priv G-TLS SYS - 2024", o: "CIBG", withdrawn: "2025-10-29", source: sourceUZI2024},
	{since: "2026-11-23", hierarchy: G3, cn: "Staat der Nederlanden Root CA - G3", o: "Staat der Nederlanden", file: "g3/staat-der-nederlanden-root-ca-g3.pem", sha256: "3c4fb0b95ab8b30032f432b86f535fe172c185d0fd39865837cf36187fa6f428", key: "4223894003a881c5df6bab163db235c221a18d54bf759945820e670da82e3f39"},
	{since: "2026-11-23", hierarchy: G3, cn: "Staat der Nederlanden Organisatie Services CA - G3", o: "Staat der Nederlanden", file: "g3/staat-der-nederlanden-organisatie-services-ca-g3.pem", sha256: "d9581dbde99b39eeff6ce5c80de1650da0c1c8a109705ed286c53bc95e6655e4", key: "5a804ccff6c860c72d48f6796618defff7a2935dd3781c8748ae335d8604b004"},
	{since: "2026-11-23", hierarchy: G3, cn: "Digidentity BV PKIoverheid Organisatie Server CA - G3", o: "Digidentity B.V.", withdrawn: "2020-12-31", file: "g3/digidentity-bv-pkioverheid-organisatie-server-ca-g3-2018.pem", sha256: "705610723c9613f6413181cadf73d51071bd761fda491423e1abd001501b64f3", key: "ce6e1eb8d0be2625bee1bcb7c4322fae3340fb8ed54596f7327169cbec551381"},
	{since: "2026-11-23", hierarchy: G3, cn: "Digidentity BV PKIoverheid Organisatie Server CA - G3", o: "Digidentity B.V.", withdrawn: "2020-12-31", file: "g3/digidentity-bv-pkioverheid-organisatie-server-ca-g3-2019.pem", sha256: "c7422de21cebc92ecae6be9dcd7e711ee650d30aed711fbb0df6b2c784b6c4fb", key: "ce6e1eb8d0be2625bee1bcb7c4322fae3340fb8ed54596f7327169cbec551381"},
	{since: "2026-11-23", hierarchy: G3, cn: "KPN BV PKIoverheid Organisatie Server CA - G3", o: "KPN B.V.", withdrawn: "2020-12-31", file: "g3/kpn-bv-pkioverheid-organisatie-server-ca-g3-2016.pem", sha256: "7e082bbc56976b159d4696540a96b60148614ba9b5e29b2035f789becfbf0657", key: "ad6d469e926687693d17ab8d2061439b6ecc98bd23e0ed42c326f2c859fe4d7b"},
	{since: "2026-11-23", hierarchy: G3, cn: "KPN BV PKIoverheid Organisatie Server CA - G3", o: "KPN B.V.", withdrawn: "2020-12-31", file: "g3/kpn-bv-pkioverheid-organisatie-server-ca-g3-2019.pem", sha256: "5679a431e79d4eb9ee967c60d8703c7c78f443f71db97157e43059de42d850df", key: "ad6d469e926687693d17ab8d2061439b6ecc98bd23e0ed42c326f2c859fe4d7b"},
	{since: "2026-11-23", hierarchy: G3, cn: "QuoVadis PKIoverheid Organisatie Server CA - G3", o: "QuoVadis Trustlink B.V.", withdrawn: "2020-12-31", file: "g3/quovadis-pkioverheid-organisatie-server-ca-g3-2016.pem", sha256: "85363a24cb1b66e6cf6244e87d243dbb8306f607357c614cb9c4c224a0e04358", key: "d110cf9a26797212e32e5d331c201aacf878db6f40f4edd2d36cc45c430e64be"},
	{since: "2026-11-23", hierarchy: G3, cn: "QuoVadis PKIoverheid Organisatie Server CA - G3", o: "QuoVadis Trustlink B.V.", withdrawn: "2020-12-31", file: "g3/quovadis-pkioverheid-organisatie-server-ca-g3-2019.pem", sha256: "ce2332390208742a1aca6513974c4c9db2691eaf4568b533e4a17ed5dda973e6", key: "d110cf9a26797212e32e5d331c201aacf878db6f40f4edd2d36cc45c430e64be"},
	{since: "2026-11-28", hierarchy: G3, cn: "Digidentity PKIoverheid Organisatie Server CA - G3", o: "Digidentity B.V.", withdrawn: "2018-05-17", file: "g3/digidentity-pkioverheid-organisatie-server-ca-g3-2018.pem", sha256: "0f3320692b17a916ce54f7e4da7bfe522fb31b1ac21e088776b37c07a34ee2a8", key: "f89e2d44a2faeac00051939f990060a94a0b12782bdd82fa3c7bdaade0fe2cff"},
	{since: "2026-11-23", hierarchy: G3, cn: "Staat der Nederlanden Autonome Apparaten CA - G3", o: "Staat der Nederlanden", key: "4164eb61228864e9213e0c602beba03612c060f33ecdae8e1786763551ff3b15"},
	{since: "2026-11-23", hierarchy: G3, cn: "Staat der Nederlanden Burger CA - G3", o: "Staat der Nederlanden", key: "0ddb66cba3dafa98a36f57e0647ac406b46e8cdc1c1fddb4fb9b9c3a11c6e325"},
	{since: "2026-11-23", hierarchy: G3, cn: "Staat der Nederlanden Organisatie Persoon CA - G3", o: "Staat der Nederlanden", key: "03cb44b933d7e14551e52ddbfc335a4d57bf65a703667b57ac961de31e3a106d"},
	{since: "2026-11-23", hierarchy: G3, cn: "Staat der Nederlanden Citizen CA - G3 2023", o: "Staat der Nederlanden"},
	{since: "2026-11-23", hierarchy: G3, cn: "Staat der Nederlanden Organization Services CA - G3 2023", o: "Staat der Nederlanden"},
	{since: "2026-11-23", hierarchy: G3, cn: "Staat der Nederlanden Organization Person CA - G3 2023", o: "Staat der Nederlanden"},
	{since: "2026-11-23", hierarchy: G3, cn: "Staat der Nederlanden S/MIME CA - G3 2023", o: "Staat der Nederlanden"},
	{since: "2026-11-23", hierarchy: G3, cn: "Cleverbase ID PKIoverheid Burger CA - G3", o: "Cleverbase ID B.V.", key: "7375aa40d4e9f0d4b08fa02be59ddb03374b0a42c686a197395a6cfe94bc04a3"},
	{since: "2026-11-23", hierarchy: G3, cn: "Digidentity BV PKIoverheid Organisatie Persoon CA - G3", o: "Digidentity B.V.", key: "32328159f2149e8e73a4765ca28c7fcd1a40119ec0005c2ac2d2d3e750612fe6"},
	{since: "2026-11-23", hierarchy: G3, cn: "KPN BV PKIoverheid Organisatie Persoon CA - G3", o: "KPN B.V.", key: "f335e4d71f0bd5ccbb81ef14c155ff2fcde33eadee2e63159da5d7dfcb402b25"},
	{since: "2026-11-23", hierarchy: G3, cn: "KPN BV PKIoverheid Organisatie Services CA - G3", o: "KPN B.V.", key: "4758e5d40c5fdf6ac587e6bd947b1cc1a51b53bb39d7f7cf5d6a8668bc9b4b2e"},
	{since: "2026-11-23", hierarchy: G3, cn: "Ministerie van Defensie PKIoverheid Organisatie Persoon CA - G3", o: "Ministerie van Defensie", key: "eca60bcf1e50473bbe6aefe00b04d366a0a1e85b126c9c5435a35ed0dc5b3146"},
	{since: "2026-11-23", hierarchy: G3, cn: "QuoVadis PKIoverheid Organisatie Persoon CA - G3", o: "QuoVadis Trustlink B.V.", key: "e55d496986beeafda816831789fba1ae375e6b776bc6d56bf65ab388f4c257d3"},
	{since: "2026-11-23", hierarchy: G3, cn: "QuoVadis PKIoverheid Organisatie Services CA - G3", o: "QuoVadis Trustlink B.V.", key: "0ddddd2f787b33028be7b013ed20c05cb72706cbfe17e352b23bbd1c37e72143"},
	{since: "2026-11-23", hierarchy: G3, cn: "UZI-register Medewerker niet op naam CA G3", o: "CIBG", key: "8a8ef49be57fe7d0f76a954bdf464b0f80508c602135498cd9c2d2f9b7bcb7fb"},
	{since: "2026-11-23", hierarchy: G3, cn: "UZI-register Medewerker op naam CA G3", o: "CIBG", key: "742cabc402942bc8f946840921293f40f43d796875c2f0d9163909c6fcac6353"},
	{since: "2026-11-23", hierarchy: G3, cn: "UZI-register Zorgverlener CA G3", o: "CIBG", key: "2c96e4b43a544ed405c62c7e4c7e0f89d4c62ebb75486c566544d62bc4829fd4"},
	{since: "2026-11-23", hierarchy: G3, cn: "Digidentity PKIoverheid Burger CA - G3", o: "Digidentity B.V.", key: "05a1bc47adefd00062056ff6df2c0d20d05752426582064deeaef75596fa7f2e"},
	{since: "2026-11-23", hierarchy: G3, cn: "Digidentity BV PKIoverheid Burger CA - G3", o: "Digidentity B.V.", key: "939bcf1edfcc74db5f727a420f0a9f123766e0b07b80133dbd7da24dbd2420f3"},
	{since: "2026-11-28", hierarchy: G3, cn: "Digidentity PKIoverheid Organisatie Services CA - G3", o: "Digidentity B.V.", key: "bcc6f04555bdce42650a8214c14fc410d81f8ff5e596ef4403253cd7bb07e9d5"},
	{since: "2026-11-28", hierarchy: G3, cn: "Digidentity PKIoverheid Organisatie Persoon CA - G3", o: "Digidentity B.V.", key: "2a82feb4fa4ce562689c7cdeda962d4239ebd8de3d1b05b3cd10ae538b3fdd2e"},
	{since: "2026-11-28", hierarchy: G3, cn: "Digidentity BV PKIoverheid Organisatie Services CA - G3", o: "Digidentity B.V.", key: "b7d82faaba1e235254db205f1a745f8ac86af8d4b82a745f7f7a53fa1b86aa6e"},
	{since: "2026-11-28", hierarchy: G3, cn: "MinIenW PKIoverheid Organisatie Services CA - G3", key: "f45109c3088b18cc9ae8f6b22e1b0a2dfac7da8fa3bf9987b86dadf5b6ad05e5"},
	{since: "2026-11-28", hierarchy: G3, cn: "MinIenW PKIoverheid Organisatie Persoon CA - G3", key: "80eaa9648a073be4cedbe8e2586397ff19c92a9fe2ba70359e3e759795d810a9"},
	{since: "2026-11-28", hierarchy: Generation1, cn: "Staat der Nederlanden Root CA", o: "Staat der Nederlanden"},
	{since: "2026-11-28", hierarchy: Generation1, cn: "Staat der Nederlanden Overheid CA", o: "Staat der Nederlanden"},
	{since: "2026-11-28", hierarchy: Generation2, cn: "Staat der Nederlanden Root CA - G2", o: "Staat der Nederlanden"},
	{since: "2026-11-28", hierarchy: Generation2, cn: "Staat der Nederlanden Organisatie CA - G2", o: "Staat der Nederlanden"},
	{since: "2026-11-28", hierarchy: Generation2, cn: "KPN PKIoverheid Organisatie CA - G2", o: "KPN B.V."},
	{since: "2026-11-28", hierarchy: Generation2, cn: "Getronics CSP Organisatie CA - G2", o: "Getronics Nederland BV", key: "608ae931a8c5187774acdc1482249a26f3b043c3da76286f928e23359cb2a2e1"},
	{since: "2026-11-28", hierarchy: Generation2, cn: "Ministerie van Defensie Certificatie Autoriteit - G2", o: "Ministerie van Defensie", key: "4e475a91dcc16532a6ee71c598f6e46f0db1ddfbebbaaf76f4cd8d23f811b617"},
	{since: "2026-11-28", hierarchy: Generation2, cn: "Ministerie van Defensie Certificatie Autoriteit Defensiepas - G2", o: "Ministerie van Defensie", key: "2254250a5beb5f45744e0ee00ed8db55fa5d508e1af879d9b170e1bd5c204f90"},
	{since: "2026-11-28", hierarchy: Generation2, cn: "MinIenM Organisatie CA - G2", key: "8e044f1927e2a8fe288eee53bdb3689f9b1c3cdaec8f1a1a6dec5c8383d1d9d9"},
	{since: "2026-11-28", hierarchy: Generation2, cn: "MinIenM Autonome Apparaten CA - G2", key: "773c6e40d79697c1ae44aa57d65797e6a2274516e1ee2a47e4c087206feaf137"},
	{since: "2026-11-28", hierarchy: Generation2, cn: "MinIenM Taxi CA Boordcomputerkaarten - G2", key: "f020ea352615b3e7ecc173b2807ce5d170bd8699835c958a922ac1ac4917851c"},
	{since: "2026-11-28", hierarchy: Generation2, cn: "MinIenM Taxi CA Systeemkaarten - G2", key: "9dd002a9f1d92917ab59471a1248cbbe2ead17abf4dc95f63db02afc0aa52b90"},
}

const (
	sourceOneCRL  = "OneCRL, Mozilla's list of revoked CA certificates"
	sourceUZI2024 = "Nuts: \"UZI Server - G4 PKIo Priv G-TLS SYS - 2024\" was revoked on 29 October 2025"
)

// EmbeddedVersion returns the version of what this package knows of the CAs of
// PKIoverheid: the day of its last change, such as "2026-11-28". Later ones sort after
// earlier ones.
func EmbeddedVersion() string {
	last := slices.MaxFunc(knownCAs[:], func(a, b knownCA) int { return strings.Compare(a.since, b.since) })
	return last.since
}

// stateO is the organisation of the roots and domain CAs, which the State runs.
const stateO = "Staat der Nederlanden"

// authority is what the row says about a CA that is not embedded.
func (k *knownCA) authority() *authority {
	a := &authority{
		name:      caName{k.cn, k.o, "NL"},
		hierarchy: k.hierarchy,
		role:      TSPCA,
		tsp:       tspOf([]string{k.o}),
	}
	switch {
	case k.o != stateO:
	case strings.Contains(k.cn, " Root CA"):
		a.role = Root
	default:
		a.role = DomainCA
	}
	return a
}

// keyHash returns the key of the row. The table is tested: one that does not parse
// cannot get past the tests.
func (k *knownCA) keyHash() (sum [sha256.Size]byte, ok bool) {
	if k.key == "" {
		return sum, false
	}
	if n, err := hex.Decode(sum[:], []byte(k.key)); err != nil || n != len(sum) {
		panic("pkioverheid: bad key in the table of CAs: " + k.cn)
	}
	return sum, true
}
