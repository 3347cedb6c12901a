// Command cyclonedx turns a run of pkio into a bill of materials: CycloneDX 1.6 with each
// certificate as a cryptographic asset. It is a module of its own, so that who imports the
// library does not depend on the library for CycloneDX.
//
//	pkio audit /etc --save run.json
//	cyclonedx run.json > bom.json
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cyclonedx:", err)
		os.Exit(2)
	}
}

// maxRun bounds a run; pkio writes some kilobyte a certificate.
const maxRun = 1 << 30

// run reads one run of pkio, from a file or from in for "-" and nothing.
func run(args []string, in io.Reader, out io.Writer) error {
	switch {
	case len(args) > 1:
		return errors.New("usage: cyclonedx [RUN.json]")
	case len(args) == 1 && args[0] != "-":
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	hash := sha256.New()
	in = io.TeeReader(io.LimitReader(in, maxRun), hash)
	var a audit
	decoder := json.NewDecoder(in)
	if err := decoder.Decode(&a); err != nil {
		return fmt.Errorf("it is not a run of pkio: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF { // which reads all, and so the hash is that of all
		return errors.New("it is not a run of pkio: more follows it")
	}
	if a.Version != 1 {
		return fmt.Errorf("it is of version %d, and this program reads version 1", a.Version)
	}
	encoder := cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON)
	encoder.SetPretty(true)
	return encoder.Encode(bom(&a, [32]byte(hash.Sum(nil))))
}

// audit is what is read of audit.schema.json in examples/pkio.
type audit struct {
	Version int `json:"version"`
	Run     struct {
		Machine string    `json:"machine"`
		Tool    string    `json:"tool"`
		Start   time.Time `json:"start"`
	} `json:"run"`
	Certificates []certificate `json:"certificates"`
}

type certificate struct {
	SHA256             string    `json:"sha256"`
	Do                 string    `json:"do"`
	Deadline           string    `json:"deadline"`
	Name               string    `json:"name"`
	Subject            string    `json:"subject"`
	Issuer             string    `json:"issuer"`
	Serial             string    `json:"serial"`
	NotBefore          time.Time `json:"notBefore"`
	NotAfter           time.Time `json:"notAfter"`
	KeyType            string    `json:"keyType"`
	KeyBits            int       `json:"keyBits"`
	SignatureAlgorithm string    `json:"signatureAlgorithm"`
	Hierarchy          string    `json:"hierarchy"`
	Status             string    `json:"status"`
	OIN                string    `json:"oin"`
	Advice             string    `json:"advice"`
	Places             []struct {
		Machine string `json:"machine"` // in a report of many machines
		Target  string `json:"target"`
		Path    string `json:"path"`
		Place   string `json:"place"`
		Use     string `json:"use"`
		Format  string `json:"format"`
	} `json:"places"`
}

// bom is the bill of materials of a run. That of the same run is the same.
func bom(a *audit, hash [32]byte) *cdx.BOM {
	b := cdx.NewBOM()
	// Not by EncodeVersion, which makes applications of cryptographic assets (v0.12.0).
	b.SpecVersion, b.JSONSchema = cdx.SpecVersion1_6, "http://cyclonedx.org/schema/bom-1.6.schema.json"
	b.SerialNumber = uuid(hash)
	b.Metadata = &cdx.Metadata{
		Timestamp: a.Run.Start.UTC().Format(time.RFC3339),
		Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{{
			Type: cdx.ComponentTypeApplication, Name: "pkio", Version: a.Run.Tool,
		}}},
		Component: &cdx.Component{BOMRef: "machine", Type: cdx.ComponentTypeDevice, Name: a.Run.Machine},
	}
	assets := newAssets()
	for i := range a.Certificates {
		assets.add(&a.Certificates[i])
	}
	b.Components = &assets.components
	return b
}

// uuid makes one of version 8 (RFC 9562) of a hash.
func uuid(hash [32]byte) string {
	hash[6] = hash[6]&0x0f | 0x80
	hash[8] = hash[8]&0x3f | 0x80
	h := hex.EncodeToString(hash[:16])
	return "urn:uuid:" + strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// assets are certificates, their keys, and each algorithm once.
type assets struct {
	components []cdx.Component
	algorithms map[string]bool
}

func newAssets() *assets {
	return &assets{components: []cdx.Component{}, algorithms: map[string]bool{}}
}

func (a *assets) add(c *certificate) {
	key := "key:" + c.SHA256
	a.components = append(a.components, cdx.Component{
		BOMRef: "certificate:" + c.SHA256,
		Type:   cdx.ComponentTypeCryptographicAsset,
		Name:   c.Name,
		Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: c.SHA256}},
		CryptoProperties: &cdx.CryptoProperties{
			AssetType: cdx.CryptoAssetTypeCertificate,
			CertificateProperties: &cdx.CertificateProperties{
				SubjectName:           c.Subject,
				IssuerName:            c.Issuer,
				NotValidBefore:        c.NotBefore.UTC().Format(time.RFC3339),
				NotValidAfter:         c.NotAfter.UTC().Format(time.RFC3339),
				SignatureAlgorithmRef: cdx.BOMReference(a.algorithm(c.SignatureAlgorithm)),
				SubjectPublicKeyRef:   cdx.BOMReference(key),
				CertificateFormat:     "X.509",
			},
		},
		Evidence:   occurrences(c),
		Properties: properties(c),
	})
	material := &cdx.RelatedCryptoMaterialProperties{Type: cdx.RelatedCryptoMaterialTypePublicKey, AlgorithmRef: cdx.BOMReference(a.algorithm(c.KeyType))}
	if c.KeyBits > 0 {
		material.Size = &c.KeyBits
	}
	a.components = append(a.components, cdx.Component{
		BOMRef: key,
		Type:   cdx.ComponentTypeCryptographicAsset,
		Name:   nameOfKey(c),
		CryptoProperties: &cdx.CryptoProperties{
			AssetType:                       cdx.CryptoAssetTypeRelatedCryptoMaterial,
			RelatedCryptoMaterialProperties: material,
		},
	})
}

// nameOfKey is that of its kind, as far as pkio knows it.
func nameOfKey(c *certificate) string {
	switch {
	case c.KeyType == "":
		return "public key"
	case c.KeyBits > 0:
		return c.KeyType + " " + strconv.Itoa(c.KeyBits)
	}
	return c.KeyType
}

// algorithm returns the reference of an algorithm by its name in crypto/x509, and none
// where it has no name.
func (a *assets) algorithm(name string) string {
	if name == "" {
		return ""
	}
	ref := "algorithm:" + name
	if !a.algorithms[name] {
		a.algorithms[name] = true
		a.components = append(a.components, cdx.Component{
			BOMRef: ref,
			Type:   cdx.ComponentTypeCryptographicAsset,
			Name:   name,
			CryptoProperties: &cdx.CryptoProperties{
				AssetType:           cdx.CryptoAssetTypeAlgorithm,
				AlgorithmProperties: &cdx.CryptoAlgorithmProperties{Primitive: cdx.CryptoPrimitiveSignature},
			},
		})
	}
	return ref
}

func occurrences(c *certificate) *cdx.Evidence {
	var all []cdx.EvidenceOccurrence
	for _, p := range c.Places {
		location := p.Path
		if location == "" {
			location = p.Target
		}
		if p.Machine != "" {
			location = p.Machine + ": " + location
		}
		all = append(all, cdx.EvidenceOccurrence{Location: location, AdditionalContext: strings.Trim(p.Use+", "+p.Place, ", ")})
	}
	if len(all) == 0 {
		return nil
	}
	return &cdx.Evidence{Occurrences: &all}
}

func properties(c *certificate) *[]cdx.Property {
	var all []cdx.Property
	for _, p := range []cdx.Property{
		{Name: "pkio:do", Value: c.Do},
		{Name: "pkio:deadline", Value: c.Deadline},
		{Name: "pkio:status", Value: c.Status},
		{Name: "pkio:hierarchy", Value: c.Hierarchy},
		{Name: "pkio:oin", Value: c.OIN},
		{Name: "pkio:serial", Value: c.Serial},
		{Name: "pkio:advice", Value: c.Advice},
	} {
		if p.Value != "" {
			all = append(all, p)
		}
	}
	return &all
}
