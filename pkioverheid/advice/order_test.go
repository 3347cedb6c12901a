package advice_test

import (
	"crypto/x509"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
)

func TestAdviceSaysWhatToOrder(t *testing.T) {
	many := make([]string, 9)
	for i := range many {
		many[i] = fmt.Sprintf("host%d.example", i)
	}
	policies := func(numbers ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			for _, n := range numbers {
				oid, err := x509.ParseOID(n)
				require.NoError(t, err)
				c.Policies = append(c.Policies, oid)
			}
		}
	}
	const g1Server, g3Server, g4Server = "2.16.528.1.1003.1.2.8.6", "2.16.528.1.1003.1.2.5.6", "2.16.528.1.1003.1.2.44.15.35.11"
	names := func(names ...string) func(*x509.Certificate) { return func(c *x509.Certificate) { c.DNSNames = names } }
	oin := func(c *x509.Certificate) { c.Subject.SerialNumber = "00000099000000001000" }
	clientOnly := func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] }
	for _, c := range []struct {
		name   string
		ca     string
		change []func(*x509.Certificate)
		says   []string // none: nothing is to be ordered
	}{
		{"a server's under G1, of KPN", kpnG1, []func(*x509.Certificate){policies(g1Server), oin, names("a.example", "b.example")}, []string{
			"G4 G-TLS (policy 2.16.528.1.1003.1.2.44.15.35.11) from [KPN], with OIN 00000099000000001000", `the DNS names "a.example", "b.example"`, "RSA key of 3072 bits", "RSASSA-PSS", "NTRNL-",
		}},
		{"with many names", kpnG1, []func(*x509.Certificate){policies(g1Server), names(many...)}, []string{`"host4.example" and 4 more`, "your OIN"}},
		{"of QuoVadis, which is DigiCert now", "QuoVadis PKIoverheid Private Services CA - G1", []func(*x509.Certificate){policies(g1Server)}, []string{"from [DigiCert], with"}},
		{"a client's without DNS names", kpnG1, []func(*x509.Certificate){policies(g1Server), clientOnly, names()}, []string{"G-Other (policy 2.16.528.1.1003.1.2.44.16.25.8) from [KPN]", "no DNS names"}},
		{"under G3", kpnG3, []func(*x509.Certificate){policies(g3Server)}, []string{"G4 G-TLS"}},
		{"under G4, with years to go", kpnG4, []func(*x509.Certificate){policies(g4Server)}, nil},
		{"under G4, in its last weeks", kpnG4, []func(*x509.Certificate){policies(g4Server), until(date(2027, 1, 1))}, []string{"G4 G-TLS"}},
		{"an organisation's for authenticity", kpnG1, []func(*x509.Certificate){policies("2.16.528.1.1003.1.2.8.4"), oin, names()}, []string{"G-Other (policy 2.16.528.1.1003.1.2.44.16.25.4) from [KPN], with OIN 00000099000000001000", "NTRNL-"}},
		{"an organisation's for confidentiality", "QuoVadis PKIoverheid Private Services CA - G1", []func(*x509.Certificate){policies("2.16.528.1.1003.1.2.8.5"), names()}, []string{"G-Other (policy 2.16.528.1.1003.1.2.44.16.25.7) from [DigiCert], with your OIN"}},
		{"a person's", kpnG1, []func(*x509.Certificate){policies("2.16.528.1.1003.1.2.8.1")}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := advice.For(testcert.Claiming(t, testcert.CA(t, c.ca), c.change...), "", date(2026, 11, 28))
			if len(c.says) == 0 {
				assert.Nil(t, a.Order)
				return
			}
			require.NotNil(t, a.Order, a.Text)
			o := a.Order
			said := fmt.Sprintf("%s (policy %s) from %s, with %s", o.Product, o.Policy, o.Suppliers, strings.Join(o.Contents, "; "))
			for _, words := range c.says {
				assert.Contains(t, said, words)
			}
		})
	}
}

func ExampleOrders() {
	for _, o := range advice.Orders() {
		fmt.Println(o.Product, o.Suppliers)
	}
	// Output:
	// a system certificate under Private G4 G-TLS [CIBG DigiCert Digidentity KPN]
	// an authentication certificate of an organisation under Private G4 G-Other []
	// a server certificate under Private G1 [DigiCert Digidentity KPN]
}
