//go:build !race

// The race detector maps so much memory that a limit says nothing. There is one
// goroutine in here, so that nothing is lost.

package truststore

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/truststore/xmldoc"
)

// A stack that overflows, or memory that the system does not give, is a fatal error
// that no recover catches. So hostile input is decoded in a child process, which
// may take 1 GiB more memory than it has at its start: sixteen times the largest
// input.
const (
	childVariable = "TRUSTSTORE_TEST_CHILD"
	childMemory   = 1 << 30
	childTime     = 10 * time.Second // of CPU, for one input
)

func TestHostileInputInAChildProcess(t *testing.T) {
	slow(t)
	if os.Getenv(childVariable) != "" {
		decodeHostile(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), childVariable+"=1")
	out, err := cmd.CombinedOutput()
	if len(out) > 20_000 {
		out = append(out[:10_000:10_000], out[len(out)-10_000:]...)
	}
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "all is read", "%s", out)
	t.Logf("%s", out)
}

// TestTheChildProcessMeetsItsLimit makes sure that the test above can fail.
func TestTheChildProcessMeetsItsLimit(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		limitMemory(t)
		keepAlive = make([]byte, childMemory+childMemory/2) // an int of 32 bits counts that far
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), childVariable+"=1")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "out of memory")
}

var keepAlive []byte

// limitMemory lets this process map no more than childMemory beside what it has.
func limitMemory(t testing.TB) {
	// The collector is to use what there is, and not twice of it.
	debug.SetMemoryLimit(childMemory * 3 / 4)
	statm, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.ParseUint(strings.Fields(string(statm))[0], 10, 64)
	require.NoError(t, err)
	limit := pages*uint64(os.Getpagesize()) + childMemory
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: limit, Max: limit}))
}

func decodeHostile(t *testing.T) {
	limitMemory(t)
	for name, data := range corpus(t) {
		for _, read := range []reader{
			entriesIn, formOf(PEM).entriesIn, formOf(DER).entriesIn, formOf(PKCS7).entriesIn,
			formOf(PKCS12).entriesIn, formOf(JKS).entriesIn, formOf(XML).entriesIn,
		} {
			start := cpuTime()
			tryDecoder(t, data, read)
			require.Less(t, cpuTime()-start, childTime, name)
		}
		tryKey(t, data)
	}
	for _, h := range hostile {
		runtime.GC()
		data := h.make(t)
		start := cpuTime()
		s, err := Decode(data, WithPassword(seedPassword))
		took := cpuTime() - start
		if h.want == "" {
			require.NoError(t, err, h.name)
			require.Positive(t, s.Len())
		} else {
			require.Error(t, err, h.name)
			assert.ErrorContains(t, err, h.want, h.name)
			assert.Nil(t, s)
			assert.Less(t, len(err.Error()), 2000)
		}
		assert.Less(t, took, childTime, h.name)
		if took < time.Second {
			_, _ = Decode(data, KeepGoing())
			_, _, _ = DecodeKey(data)
		}
		t.Logf("%s: %d bytes in %v", h.name, len(data), took.Round(time.Millisecond))
	}
	fmt.Println("all is read")
}

// attributes repeats one with n names.
func attributes(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// full repeats something up to the limit of what is read.
func full(unit string) []byte { return bytes.Repeat([]byte(unit), defaultLimit/len(unit)) }

// signedData begins a SignedData of indefinite length, up to its certificates.
const signedData = "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"

var hostile = []struct {
	name string
	make func(t testing.TB) []byte
	want string // of the error; nothing if there is none
}{
	{"indefinite lengths inside one another", func(testing.TB) []byte { return full("\x30\x80") }, "not DER"},
	{"PKCS#7 with those", func(testing.TB) []byte { return append([]byte(signedData), full("\x30\x80")[:60<<20]...) }, "inside one another"},
	{"PKCS#7 with those in PEM", func(testing.TB) []byte {
		return pemOf("PKCS7", append([]byte(signedData), full("\x30\x80")[:40<<20]...))
	}, "inside one another"},
	{"PKCS#12 with those", func(testing.TB) []byte {
		return append([]byte("\x30\x80\x02\x01\x03\x30\x80"), full("\x30\x80")[:60<<20]...)
	}, "inside one another"},
	{"octet strings in parts in parts", func(testing.TB) []byte {
		return append([]byte("\x30\x80\x02\x01\x03\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80"), full("\x24\x80")[:60<<20]...)
	}, "inside one another"},
	{"a PKCS#7 of empty elements", func(testing.TB) []byte {
		return append([]byte(signedData+"\xa0\x80"), full("\x30\x00")[:60<<20]...)
	}, "more than 4194304 ASN.1 elements"},
	{"a PKCS#7 of four million empty elements", func(testing.TB) []byte {
		return append([]byte(signedData+"\xa0\x80"), append(full("\x30\x00")[:8_000_000], make([]byte, 8)...)...)
	}, "certificate 1 in the PKCS#7"},
	{"a PKCS#7 of large primitives, deep", func(testing.TB) []byte {
		inner := tlv(0x04, make([]byte, 15<<20))
		for range 25 {
			inner = tlv(0x30, inner)
		}
		return seq(oid(oidSignedData), tlv(0xa0, seq(integer(1), tlv(0x31), seq(oid(oidData)), tlv(0xa0), inner)))
	}, "there is no certificate in it"},
	{"a PKCS#12 of a million bags", func(testing.TB) []byte {
		return pfx(bytes.Repeat(seq(oid(oidCertBag), tlv(0xa0, seq(oid(oidX509Certificate), tlv(0xa0, octets([]byte{0x30, 0}))))), 500_000))
	}, "nothing that a password could check"},
	{"a PKCS#12 of a million parts", func(testing.TB) []byte {
		return seq(integer(3), seq(oid(oidData), tlv(0xa0, octets(seq(bytes.Repeat(seq(oid(oidData), tlv(0xa0, octets(seq()))), 1_000_000))))))
	}, "there is no certificate in it"},
	{"a JKS of 38 bytes with a certificate of four gigabytes", func(testing.TB) []byte {
		return jksOf("", 2, 1, jksEntryOf(jksTrustedCert, "", []byte{0, 0}, []byte{0xff, 0xff, 0xff, 0xff}))[:38]
	}, "damaged JKS"},
	{"a JKS of many entries", func(testing.TB) []byte {
		return jksOf(seedPassword, 2, maxJKSEntries, bytes.Repeat(jksEntryOf(jksTrustedCert, "alias", jksCertOf("X.509", nil)), maxJKSEntries))
	}, "entry 1 (alias) in the JKS: x509"},
	{"a JKS of a private key with many certificates", func(testing.TB) []byte {
		n := uint32(5_000_000)
		return jksOf(seedPassword, 2, 1, jksEntryOf(jksPrivateKey, "k", jksBytes([]byte("x")), []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, bytes.Repeat(jksCertOf("X.509", nil), int(n))))
	}, "the private keys have more than 262144 certificates"},
	{"XML with entities", func(testing.TB) []byte {
		return []byte(`<!DOCTYPE x [<!ENTITY a "` + strings.Repeat("a", 1<<20) + `"><!ENTITY b "` + strings.Repeat("&a;", 1<<18) + `">]><x>&b;</x>`)
	}, "DTD"},
	{"XML of tags without end", func(testing.TB) []byte { return full("<a>") }, "more than 128 elements inside one another"},
	{"XML of attributes", func(testing.TB) []byte { return append([]byte("<a "), full("b='' ")[:60<<20]...) }, "a tag of more than 65536 bytes"},
	{"XML of large tags", func(testing.TB) []byte {
		return append([]byte("<x>"), bytes.Repeat([]byte("<a "+attributes("b%d='' ", 6_000)+"/>"), 600)...)
	}, "cut off"},
	{"XML of namespaces", func(testing.TB) []byte {
		return append([]byte("<x>"), bytes.Repeat([]byte("<a "+attributes("xmlns:b%d='x' ", 4_000)+"/>"), 500)...)
	}, "cut off"},
	{"XML of one attribute over and over", func(testing.TB) []byte {
		return append([]byte("<x>"), bytes.Repeat([]byte("<a "+strings.Repeat("b='' ", 10_000)+"/>"), 600)...)
	}, "twice"},
	{"XML of small elements", func(testing.TB) []byte { return append([]byte("<x>"), full("<a/>")[:16<<20]...) }, "cut off"},
	{"XML of a comment without end", func(testing.TB) []byte { return append([]byte("<x><!--"), full("-a")[:60<<20]...) }, "cut off"},
	{"XML of text without end", func(testing.TB) []byte { return append([]byte("<x>"), full("text ")[:60<<20]...) }, "cut off"},
	{"XML of a certificate without end", func(testing.TB) []byte {
		return append([]byte(`<X509Certificate xmlns="`+xmldoc.Signature+`">`), full("MIIB")[:60<<20]...)
	}, "a certificate of more than 1048576 bytes"},
	{"XML of a short certificate without end", func(testing.TB) []byte {
		return []byte(`<X509Certificate xmlns="` + xmldoc.Signature + `">MIIB`)
	}, "cut off"},
	{"PEM of empty blocks", func(testing.TB) []byte { return full("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n") }, "block 1 (CERTIFICATE, line 1, byte 0): it is empty"},
	{"PEM of BEGIN lines", func(testing.TB) []byte { return full("-----BEGIN CERTIFICATE-----\n") }, "has no END line"},
	{"PEM of one line", func(testing.TB) []byte {
		return append([]byte("-----BEGIN CERTIFICATE-----\n"), full("MIIB")[:60<<20]...)
	}, "has no END line"},
	{"PEM of header lines", func(testing.TB) []byte {
		return append(append([]byte("-----BEGIN CERTIFICATE-----\n"), full("a:b\n")[:30<<20]...), "-----END CERTIFICATE-----\n"...)
	}, "it is empty"},
	{"PEM of many headers", func(testing.TB) []byte {
		var lines strings.Builder
		for i := range 1_000_000 {
			fmt.Fprintf(&lines, "a%d: b\n", i)
		}
		return []byte("-----BEGIN CERTIFICATE-----\n" + lines.String() + "-----END CERTIFICATE-----\n")
	}, "too many header lines"},
	{"PEM of empty lines", func(testing.TB) []byte {
		return append(append([]byte("-----BEGIN CERTIFICATE-----\n"), full("\n")[:30<<20]...), "-----END CERTIFICATE-----\n"...)
	}, "it is empty"},
	{"PEM of one gigabyte", func(testing.TB) []byte {
		return make([]byte, defaultLimit+1) // Open does not read more, see TestOpenDoesNotReadAGigabyte
	}, "more than 67108864 bytes"},
	{"base64 of one line", func(testing.TB) []byte { return full("MIIB") }, "truststore: "},
	{"zeros", func(testing.TB) []byte { return make([]byte, defaultLimit) }, "truststore: "},
	{"white space", func(testing.TB) []byte { return full(" \t") }, "it is empty"},
	{"small certificates", func(t testing.TB) []byte {
		var out []byte
		for i := int64(0); len(out) < 16<<20; i++ {
			out = append(out, smallCert(i, seq())...)
		}
		return out
	}, ""},
	{"certificates with names of many parts", func(t testing.TB) []byte {
		part := tlv(0x31, seq(oid(asn1.ObjectIdentifier{2, 5, 4, 3}), tlv(0x0c, []byte("x"))))
		name := seq(bytes.Repeat(part, 30_000))
		var out []byte
		for i := range int64(8) {
			out = append(out, smallCert(i, name)...)
		}
		return out
	}, ""},
	{"a certificate of sixty megabytes", func(testing.TB) []byte { return seq(make([]byte, 60<<20)) }, "more than 1048576 bytes"},
}

func TestOpenDoesNotReadAGigabyte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.pem")
	f, err := os.Create(path)
	require.NoError(t, err)
	_, err = f.WriteString(string(text(realCerts(t)...)))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(1<<30))
	require.NoError(t, f.Close())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpuTime()
	_, err = Open(path)
	assert.ErrorContains(t, err, path+": there are more than 67108864 bytes")
	assert.Less(t, cpuTime()-start, time.Second)
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}
