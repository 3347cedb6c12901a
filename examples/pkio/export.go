package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// destination is a program that trust is exported for.
type destination struct {
	file   string // its usual name
	format truststore.Format
	use    string // with %[1]s for the path, and %[2]s for how the password is given
}

// java reports whether it has a password.
func (d destination) java() bool {
	return d.format == truststore.PKCS12 || d.format == truststore.PKCS12Legacy
}

var destinations = map[string]destination{
	"nginx": {"pkioverheid.pem", truststore.PEM, `To let in clients with a certificate of PKIoverheid, in a server block:

    ssl_client_certificate %[1]s;
    ssl_verify_client      on;
    ssl_verify_depth       3;   # the default, 1, refuses every one of them

To call servers of PKIoverheid, where proxy_pass is:

    proxy_ssl_trusted_certificate %[1]s;
    proxy_ssl_verify       on;
    proxy_ssl_verify_depth 3;
    proxy_ssl_name         service.example;
    proxy_ssl_server_name  on;

A certificate of PKIoverheid does not make a client one of yours: compare the OIN in
its subject, $ssl_client_s_dn, too.
`},
	"apache": {"pkioverheid.pem", truststore.PEM, `To let in clients with a certificate of PKIoverheid, in a virtual host:

    SSLCACertificateFile   %[1]s
    SSLVerifyClient        require
    SSLVerifyDepth         3

To call servers of PKIoverheid, where ProxyPass is:

    SSLProxyEngine            on
    SSLProxyCACertificateFile %[1]s
    SSLProxyVerify            require
    SSLProxyVerifyDepth       3
    SSLProxyCheckPeerName     on

A certificate of PKIoverheid does not make a client one of yours: compare the OIN in
its subject too, with Require expr and %{SSL_CLIENT_S_DN}.
`},
	"haproxy": {"pkioverheid.pem", truststore.PEM, `To let in clients with a certificate of PKIoverheid, in a frontend:

    bind :443 ssl crt /etc/haproxy/own.pem ca-file %[1]s verify required

To call servers of PKIoverheid, in a backend:

    server service service.example:443 ssl verify required ca-file %[1]s sni str(service.example) verifyhost service.example

A certificate of PKIoverheid does not make a client one of yours: compare the OIN in
its subject too, with an acl on ssl_c_s_dn.
`},
	"postfix": {"pkioverheid.pem", truststore.PEM, `To send to servers with a certificate of PKIoverheid, in main.cf:

    smtp_tls_CAfile = %[1]s
    smtp_tls_policy_maps = inline:{service.example=secure}

To take mail from clients with one:

    smtpd_tls_CAfile = %[1]s
    smtpd_tls_req_ccert = yes
    smtpd_tls_ccert_verifydepth = 4

A certificate of PKIoverheid does not make a client one of yours: list fingerprints in
relay_clientcerts.
`},
	"java": {"pkioverheid.p12", truststore.PKCS12, `Start Java with:

    -Djavax.net.ssl.trustStore=%[1]s
    -Djavax.net.ssl.trustStorePassword=%[2]s

It takes the place of cacerts: with it, Java trusts nothing else. Java takes each
certificate in a trust store for a root; --roots-only leaves the CAs below out, and
then servers must send their chain.
`},
	"java-legacy": {"pkioverheid.p12", truststore.PKCS12Legacy, `It is encrypted with triple DES and SHA-1, which are weak: for Java before 8u301 and
11.0.12, which read nothing else. Start it with:

    -Djavax.net.ssl.trustStore=%[1]s
    -Djavax.net.ssl.trustStorePassword=%[2]s

It takes the place of cacerts: with it, Java trusts nothing else. Java takes each
certificate in a trust store for a root; --roots-only leaves the CAs below out, and
then servers must send their chain.
`},
	"curl": {"pkioverheid.pem", truststore.PEM, `    curl --cacert %[1]s https://service.example/

or, for every call, a line in ~/.curlrc:  cacert = %[1]s
Programs with OpenSSL take it from the environment:  SSL_CERT_FILE=%[1]s
`},
	"kubernetes": {configMapFile, truststore.PEM, `It is a ConfigMap, "pkioverheid", with the certificates under ca.crt:

    kubectl apply --namespace NAMESPACE -f %[1]s

and in the specification of a pod:

    volumes:
      - name: pkioverheid
        configMap: {name: pkioverheid}
    containers:
      - volumeMounts:
          - {name: pkioverheid, mountPath: /etc/pkioverheid, readOnly: true}

A Bundle of trust-manager brings it to all namespaces, with
sources: [{configMap: {name: pkioverheid, key: ca.crt}}].
`},
}

const destinationNames = "nginx, apache, haproxy, postfix, java, java-legacy, curl or kubernetes"

// exportFlags are those of pkio export.
type exportFlags struct {
	hierarchies      []string
	to               string
	rootsOnly, force bool
	passwords        passwords
}

func newExport() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export --hierarchy LIST --to PROGRAM [FILE]",
		Short: "Write the hierarchies for nginx, Apache, Java, curl and others",
		Long: `export writes the CA certificates of PKIoverheid in the form that another program
wants, and prints how to use the file there. Without FILE, or with "-", they go to
standard output. A file that exists is only written over if pkio wrote it and no
certificates would be lost, and never one with a private key.

Hierarchies: g1 (Private G1, ends in November 2028), g4 (Private G4 TLS, its
successor) and ev (ended in 2022; for archives). Trust g1 and g4 together until
everybody has moved. G3 was withdrawn, and is not exported.

A Java trust store has the password "changeit" unless another is given. Java 8u301,
11.0.12 and later read the one of java; older ones need java-legacy, which is weak.`,
		Example: `  pkio export --hierarchy g1,g4 --to java /opt/app/pkioverheid.p12
  pkio export --hierarchy g1,g4 --to nginx /etc/nginx/pkioverheid.pem`,
		Args: positional(0, 1, "one FILE at most"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	cmd.Flags().StringSliceVar(&f.hierarchies, "hierarchy", nil, "the `hierarchies`, with commas")
	cmd.Flags().StringVar(&f.to, "to", "", "the `program`: "+destinationNames)
	cmd.Flags().BoolVar(&f.rootsOnly, "roots-only", false, "leave out the CAs below the roots")
	forceFlag(cmd, &f.force)
	complete(cmd, "to", "nginx", "apache", "haproxy", "postfix", "java", "java-legacy", "curl", "kubernetes")
	complete(cmd, "hierarchy", "g1", "g4", "ev", "g1,g4")
	f.passwords.flags(cmd, "", "")
	return cmd
}

func (f *exportFlags) run(cmd *cobra.Command, args []string) error {
	d, ok := destinations[strings.ToLower(f.to)]
	if !ok {
		return fmt.Errorf("--to %q: want %s", f.to, destinationNames)
	}
	store, names, err := ofHierarchies(f.hierarchies, f.rootsOnly)
	if err != nil {
		return err
	}
	if !d.java() && f.passwords.given() {
		return fmt.Errorf("--to %s has no password: leave --password-env and --password-file out", f.to)
	}
	known, err := f.passwords.known()
	if err != nil {
		return err
	}
	out := outFile{path: "-", force: f.force, inputs: files(f.passwords.files), passwords: known}
	if len(args) > 0 {
		out.path = args[0]
	}
	if out.path == "-" && d.java() {
		return fmt.Errorf("--to %s is binary: give a FILE, such as %s", f.to, d.file)
	}
	if err := out.check(cmd, store.Len()); err != nil {
		return err
	}
	data, told, err := d.encode(store, names, known)
	if err != nil {
		return err
	}
	if err := out.write(cmd, data, store.Len()); err != nil {
		return err
	}
	d.sayUse(cmd, &out, count(store.Len(), "certificate")+" of "+strings.Join(names, " and "), told)
	return nil
}

// sayUse says what was written and how to use it. told is how the password is given.
func (d destination) sayUse(cmd *cobra.Command, out *outFile, what, told string) {
	path, says := out.path, out.remarks(cmd)
	switch full, err := filepath.Abs(path); {
	case out.stream(cmd) != nil:
		path = d.file
		fmt.Fprintf(says, "%s. How to use them, saved as %s:\n\n", what, path)
	case err == nil && d.file != configMapFile:
		path = full // what reads it starts elsewhere
		fallthrough
	default:
		fmt.Fprintf(says, "%s: %s.\n\n", safetext.Printable(path, maxText), what)
	}
	fmt.Fprint(says, strings.NewReplacer("%[1]s", inCommand(path), "%[2]s", told).Replace(d.use))
}

// encode returns what is written, and how the password is given.
func (d destination) encode(store *truststore.Store, names, known []string) (data []byte, told string, err error) {
	switch {
	case d.file == configMapFile:
		data, err = configMap(store, names)
		return data, "", err
	case !d.java():
		data, err = store.Encode(d.format)
		return data, "", err
	case len(known) > 1:
		return nil, "", fmt.Errorf("%d passwords for one file: give one", len(known))
	}
	password, told := javaPassword, javaPassword
	if len(known) == 1 {
		password, told = known[0], "PASSWORD"
	}
	data, err = store.Encode(d.format, truststore.WithPassword(password))
	return data, told, err
}

// hierarchyNamed returns the hierarchy that a user means, empty if there is none: by its
// name in files or on paper, in upper or lower case, and "g1" and "g4" for short.
func hierarchyNamed(s string) pkioverheid.Hierarchy {
	s = strings.ToLower(strings.TrimSpace(s))
	short := map[string]pkioverheid.Hierarchy{"g1": pkioverheid.PrivateG1, "g4": pkioverheid.PrivateG4TLS}
	for _, h := range append(pkioverheid.Hierarchies(), pkioverheid.G3) {
		if s == string(h) || s == strings.ToLower(h.String()) || h == short[s] {
			return h
		}
	}
	return ""
}

// ofHierarchies returns their certificates and names.
func ofHierarchies(list []string, rootsOnly bool) (*truststore.Store, []string, error) {
	store, names := truststore.New(), []string(nil)
	for _, s := range list {
		h := hierarchyNamed(s)
		if h == "" {
			return nil, nil, fmt.Errorf("--hierarchy %q: want g1, g4 or ev", s)
		}
		if h == pkioverheid.G3 {
			return nil, nil, fmt.Errorf("--hierarchy %s: G3 was withdrawn and is not exported: want g1, g4 or ev", s)
		}
		certs := h.Certificates()
		if rootsOnly {
			certs = certs[:1]
		}
		if store.Add(certs...) > 0 {
			names = append(names, h.String())
		}
	}
	if store.Len() == 0 {
		return nil, nil, fmt.Errorf("no hierarchy: give --hierarchy g1,g4")
	}
	return store, names, nil
}

// A ConfigMap of pkio is known by these.
const (
	configMapFile = "pkioverheid.yaml"
	configMapMark = ", written by pkio export on "
	configMapKey  = "\n  ca.crt: |\n"
)

// configMap returns the certificates as a ConfigMap of Kubernetes. It holds nothing but
// PEM and the names of hierarchies, which need no quoting in YAML.
func configMap(store *truststore.Store, names []string) ([]byte, error) {
	data, err := store.Encode(truststore.PEM)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `# %s%s%s.
apiVersion: v1
kind: ConfigMap
metadata:
  name: pkioverheid
data:%s    %s
`, strings.Join(names, " and "), configMapMark, time.Now().UTC().Format(time.DateOnly), configMapKey,
		strings.ReplaceAll(strings.TrimSpace(string(data)), "\n", "\n    ")), nil
}

// inCommand is a path as commands and configuration files take it: in quotes if there
// are blanks or signs in it.
func inCommand(path string) string {
	plain := strings.IndexFunc(path, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(`/\:._-+`, r)
	}) < 0
	if plain {
		return path
	}
	return `"` + safetext.Printable(path, maxText) + `"`
}
