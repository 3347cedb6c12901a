package inventory

import (
	"io"
	"strings"

	"github.com/go-pkioverheid/trust/truststore"
)

// maxFileBeside is how large a file may be that is looked at because of another one's name.
const maxFileBeside = 64 << 10

// certificateEnds are how the names of certificate files end whose key may lie beside them.
var certificateEnds = [...]string{".pem", ".crt", ".cer", ".cert"}

// pair are the names of a key and of all certificate files that it goes with.
type pair struct {
	key   string
	certs []string
}

// namesBeside returns the pairs with which a certificate file goes by its name, the likeliest
// first. www.key goes with www.pem, and certbot's privkey2.pem with fullchain2.pem and
// cert2.pem.
func namesBeside(path string) (pairs []pair) {
	name := path[strings.LastIndexAny(path, `/\`)+1:]
	folder := path[:len(path)-len(name)]
	for _, begin := range [...]string{"fullchain", "cert"} {
		rest, ok := strings.CutPrefix(name, begin)
		if number, pem := strings.CutSuffix(rest, ".pem"); ok && pem && strings.Trim(number, "0123456789") == "" {
			pairs = append(pairs, pair{folder + "privkey" + rest, []string{folder + "fullchain" + rest, folder + "cert" + rest}})
		}
	}
	for _, end := range certificateEnds {
		if n := len(name) - len(end); n > 0 && strings.EqualFold(name[n:], end) {
			stem := folder + name[:n]
			p := pair{key: stem + ".key"}
			for _, end := range certificateEnds {
				p.certs = append(p.certs, stem+end)
			}
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// beside sets what the key in the file beside this one says about the certificates in
// it, of which the first is not a CA. Of a key that is not theirs nothing is said where
// another certificate file of the same name holds its certificate, as while a pair is being
// renewed, nor where there are several certificates that could be its own.
func (k *keys) beside() {
	c := k.reader
	if c.job.alone || c.in.depth > 0 || c.in.place != "" || c.section.until > 0 {
		return
	}
	first := &k.certs[0]
	if !first.leaf || first.use != UnknownUse || first.store > 0 || first.public == 0 {
		return
	}
	for _, p := range namesBeside(c.job.path) {
		if key := c.fileBeside(p.key); len(key.found) == 1 && len(key.certs) == 0 && key.found[0].store == 0 {
			k.besideKey(key, p.certs)
			return
		}
	}
}

// besideKey is beside for the one key in another file, which goes with the certificate files
// at some paths.
func (k *keys) besideKey(key *keys, certs []string) {
	c, first := k.reader, &k.certs[0]
	key.readAll()
	c.in.opening += key.reader.in.opening
	public := key.found[0].public
	if public == 0 || k.own(map[uint64]bool{public: true}) {
		return
	}
	for i := range k.certs[1:] {
		if k.certs[1+i].leaf {
			return
		}
	}
	for _, path := range certs {
		if path != c.job.path && c.fileBeside(path).own(map[uint64]bool{public: true}) {
			return
		}
	}
	first.use = KeyMismatch
}

// fileBeside returns the keys and certificates of another file; none if it is not a small
// regular file, which can be read, in text, or with a certificate in DER.
func (c *contentReader) fileBeside(path string) *keys {
	r := &reader{scanner: c.scanner, job: job{target: c.job.target, path: path}}
	side := &contentReader{reader: r, kind: text, from: new(source)}
	k := &keys{reader: side}
	info, err := c.tree.stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFileBeside || c.excluded(path) {
		return k
	}
	f, err := c.tree.open(path)
	if err != nil {
		return k
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil || !info.Mode().IsRegular() {
		return k
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFileBeside+1))
	if err != nil || len(data) > maxFileBeside {
		return k
	}
	if side.kind = look(data); side.kind != text && side.kind != container {
		return k
	}
	r.in, side.data = newInner(int64(len(data))), data
	side.walk(func(f found) bool {
		if f.Err != nil {
			return true
		}
		if f.Kind == truststore.PrivateKey {
			k.addKey(f)
		} else if result, ok := side.result(f); ok && result.known != nil {
			k.addCertificate(f, &result)
		}
		return true
	})
	return k
}
