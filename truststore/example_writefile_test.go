package truststore_test

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-pkioverheid/trust/truststore"
)

func tempFolder() string {
	dir, err := os.MkdirTemp("", "truststore-example-")
	if err != nil {
		log.Fatal(err)
	}
	return dir
}

// To add a CA to a store that other programs read at the same time.
func ExampleStore_WriteFile() {
	dir := tempFolder()
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "partners.pem")
	if err := open(rootFile).WriteFile(path, truststore.PEM); err != nil {
		log.Fatal(err)
	}

	store := open(path)
	for cert := range open(folder).All() {
		store.Add(cert)
	}
	if err := store.WriteFile(path, truststore.PEM); err != nil {
		log.Fatal(err)
	}
	fmt.Println(open(path).Len())
	// Output: 7
}

// To write a trust package where a program reads it at the same time.
func ExampleReplaceFile() {
	dir := tempFolder()
	defer os.RemoveAll(dir)
	data, err := open(folder).SelfSigned().EncodeTrustPackage("pkioverheid-private", "2026-11-01")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(truststore.ReplaceFile(filepath.Join(dir, "package.json"), data))
	// Output: <nil>
}

func ExampleReadFile() {
	_, err := truststore.ReadFile(rootFile, 100)
	fmt.Println(strings.HasSuffix(err.Error(), "there are more than 100 bytes"))
	// Output: true
}

func ExampleStore_EncodeTrustPackage() {
	data, err := open(folder).SelfSigned().EncodeTrustPackage("pkioverheid-private", "2026-11-01")
	if err != nil {
		log.Fatal(err)
	}
	var pkg struct{ Name, Version, Bundle string }
	if err := json.Unmarshal(data, &pkg); err != nil {
		log.Fatal(err)
	}
	fmt.Println(pkg.Name, pkg.Version, pkg.Bundle[:27])
	// Output: pkioverheid-private 2026-11-01 -----BEGIN CERTIFICATE-----
}
