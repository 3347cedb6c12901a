package xmldoc_test

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/truststore/xmldoc"
)

func ExampleNewReader() {
	r := xmldoc.NewReader([]byte("<letter>\n <stamp>aGFs\n  bG8=</stamp>\n</letter>"))
	for {
		token, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		if tag, ok := token.(xml.StartElement); ok && tag.Name.Local == "stamp" {
			at := r.Offset()
			stamp, err := r.Base64(100)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("line %d: %s\n", r.Line(at), stamp)
		}
	}
	_, err := xmldoc.NewReader([]byte("<!DOCTYPE letter>")).Next()
	fmt.Println(err)
	// Output:
	// line 2: hallo
	// byte 0: the document has a DTD, which is refused: remove it
}

// read returns the texts of all x elements and the names of all others.
func read(data []byte, text func(*xmldoc.Reader) ([]byte, error)) (texts, names []string, err error) {
	r := xmldoc.NewReader(data)
	for {
		token, err := r.Next()
		if err == io.EOF {
			return texts, names, nil
		}
		if err != nil {
			return nil, nil, err
		}
		tag, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case tag.Name.Local == "x":
			t, err := text(r)
			if err != nil {
				return nil, nil, err
			}
			texts = append(texts, string(t))
		default:
			names = append(names, tag.Name.Local)
		}
	}
}

func asText(r *xmldoc.Reader) ([]byte, error)   { return r.Text(1000) }
func asBase64(r *xmldoc.Reader) ([]byte, error) { return r.Base64(1000) }

func TestBase64IsWhatTextIs(t *testing.T) {
	for name, doc := range map[string]string{
		"on one line":              "<a><x>aGFsbG8=</x><b/></a>",
		"on many":                  "<a><x>\r\n aGF\n\tsbG8=\n</x><b/></a>",
		"with a comment":           "<a><x>aGF<!-- aGF -->sbG8=</x><b/></a>",
		"with a comment first":     "<a><x><!-- aGF -->aGFsbG8=</x><b/></a>",
		"with CDATA":               "<a><x>aG<![CDATA[Fsb]]>G8=</x><b/></a>",
		"with a character by code": "<a><x>aG&#70;sbG8=</x><b/></a>",
		"with an attribute":        `<a><x y="/">aGFsbG8=</x><b/></a>`,
		"twice":                    "<a><x>aGFsbG8=</x><x>aGFsbG8=</x><b/></a>",
	} {
		t.Run(name, func(t *testing.T) {
			texts, names, err := read([]byte(doc), asBase64)
			require.NoError(t, err)
			assert.Equal(t, []string{"a", "b"}, names)
			for _, text := range texts {
				assert.Equal(t, "hallo", text)
			}
			assert.NotEmpty(t, texts)
		})
	}
	for name, c := range map[string]struct {
		doc  string
		want error
		text string
	}{
		"nothing":             {"<a><x></x></a>", xmldoc.ErrBase64, "it is empty"},
		"an empty element":    {"<a><x/>aGFs</a>", xmldoc.ErrBase64, "it is empty"},
		"white space":         {"<a><x> \n </x></a>", xmldoc.ErrBase64, "it is empty"},
		"another character":   {"<a><x>aGF*</x></a>", xmldoc.ErrBase64, "input byte 3"},
		"no padding":          {"<a><x>aGFsbG8</x></a>", xmldoc.ErrBase64, "damaged base64"},
		"padding and more":    {"<a><x>aGFsbG8=aGFs</x></a>", xmldoc.ErrBase64, "damaged base64"},
		"bits left over":      {"<a><x>aGFsbG9=</x></a>", xmldoc.ErrBase64, "damaged base64"},
		"an element":          {"<a><x>aGFs<b/></x></a>", xmldoc.ErrNotText, "byte 10"},
		"an instruction":      {"<a><x>aGFs<?b?></x></a>", xmldoc.ErrNotText, "byte 10"},
		"too much":            {"<a><x>" + strings.Repeat("aGFs", 251) + "</x></a>", xmldoc.ErrLong, ""},
		"too much in parts":   {"<a><x>" + strings.Repeat("aGFs<!-- -->", 251) + "</x></a>", xmldoc.ErrLong, ""},
		"an end cut off":      {"<a><x>aGFs", nil, "cut off"},
		"an end tag cut off":  {"<a><x>aGFs</x", nil, "cut off"},
		"another's end tag":   {"<a><x>aGFs</a></x>", nil, "damaged XML in line 1"},
		"damage further down": {"<a>\n<x>\naG\nFs\n</x>\n<b", nil, "cut off"},
		"damage in line 6":    {"<a>\n<x>\naG\nFs\n</x>\n<b c></a>", nil, "damaged XML in line 6"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read([]byte(c.doc), asBase64)
			require.Error(t, err)
			assert.ErrorContains(t, err, c.text)
			if c.want != nil {
				assert.ErrorIs(t, err, c.want)
			}
		})
	}
}

// Damaged base64 is for the caller to decide; the rest of the document can be read.
func TestAReaderGoesOnBehindDamagedBase64(t *testing.T) {
	r := xmldoc.NewReader([]byte("<a><x>aGF*</x><b/></a>"))
	for range 2 {
		_, err := r.Next()
		require.NoError(t, err)
	}
	_, err := r.Base64(100)
	require.ErrorIs(t, err, xmldoc.ErrBase64)
	token, err := r.Next()
	require.NoError(t, err)
	assert.Equal(t, "b", token.(xml.StartElement).Name.Local)
	assert.EqualValues(t, strings.Index("<a><x>aGF*</x><b/></a>", "<b/>"), r.Offset())
}

// encoding/xml lets these pass; of two attributes one program reads the first, another
// the last.
func TestATagHasEachAttributeOnce(t *testing.T) {
	var many string
	for i := range 5000 {
		many += fmt.Sprintf(" a%d=''", i)
	}
	for name, c := range map[string]struct {
		tag   string
		twice bool
	}{
		"twice":                               {`<a b="1" b="2"/>`, true},
		"twice, the same":                     {`<a b="1" c="" b="1"/>`, true},
		"a namespace twice":                   {`<a xmlns:p="u" xmlns:p="v"/>`, true},
		"by two prefixes of one namespace":    {`<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>`, true},
		"of two namespaces":                   {`<a xmlns:p="u" xmlns:q="v" p:b="1" q:b="2"/>`, false},
		"with a prefix and without":           {`<a xmlns="u" xmlns:p="u" p:b="1" b="2"/>`, false},
		"thousands":                           {`<a` + many + `/>`, false},
		"thousands, and one of them twice":    {`<a` + many + ` a7=""/>`, true},
		"twice, in an element within another": {`<y><a b="" b=""/></y>`, true},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read([]byte(c.tag), asText)
			if c.twice {
				assert.ErrorContains(t, err, "comes twice")
				assert.ErrorContains(t, err, fmt.Sprintf("byte %d: the attribute ", strings.Index(c.tag, "<a")))
			} else {
				assert.NoError(t, err)
			}
		})
	}
	// Whatever its name is.
	_, _, err := read([]byte(`<a xmlns:p="u" p:`+strings.Repeat("n", 1000)+`="" p:`+strings.Repeat("n", 1000)+`=""/>`), asText)
	require.ErrorContains(t, err, "comes twice")
	assert.Less(t, len(err.Error()), 300)
}

func TestAPrefixStandsForANamespace(t *testing.T) {
	_, _, err := read([]byte(`<a xmlns=""><b xmlns:p="" p:c=""/></a>`), asText)
	assert.ErrorContains(t, err, "byte 12: the prefix p is declared for no namespace")
}

// encoding/xml quotes the version that a document says it is of.
func TestErrorsAreShort(t *testing.T) {
	for _, doc := range []string{
		`<?xml version="` + strings.Repeat("\x8a", 10_000) + `"?><a/>`,
		`<?xml version="1.0" encoding="` + strings.Repeat("x", 10_000) + `"?><a/>`,
		"<" + strings.Repeat("x", 10_000) + "/",
		"<a>&" + strings.Repeat("x", 10_000) + ";</a>",
	} {
		_, _, err := read([]byte(doc), asText)
		require.Error(t, err)
		assert.Less(t, len(err.Error()), 400)
		assert.NotContains(t, err.Error(), "\x8a\x8a")
	}
}

func TestLines(t *testing.T) {
	r := xmldoc.NewReader([]byte("<a>\n\n<b/></a>"))
	for offset, line := range map[int64]int{-1: 1, 0: 1, 3: 1, 4: 2, 5: 3, 1000: 3} {
		assert.Equal(t, line, r.Line(offset), "%d", offset)
	}
}

// Whatever it reads, a Reader accepts no document that encoding/xml does not, and
// reads base64 as the text that encoding/xml sees.
func FuzzReader(f *testing.F) {
	for _, doc := range []string{
		"<a><x>aGFsbG8=</x><b/></a>",
		"<a><x>\r\n aGF\n\tsbG8=\n</x><b c='d'>e</b></a>",
		"<a><x>aG<![CDATA[Fsb]]>G8=</x><x>aG&#70;s</x></a>",
		"<?xml version='1.0' encoding='US-ASCII'?><!-- --><a xmlns='b'><x/>aGFs<x>aGFs</x></a>\n",
		"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
		"<a><x>aGFs<b/></x></a>", "<a><x>]]></x></a>", "<a></a><b></b>",
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		slow, names, err := read(data, asText)
		if err != nil && (strings.ContainsAny(err.Error(), "\n\x1b\x00") || len(err.Error()) > 1000) {
			t.Errorf("%q", err)
		}
		if err == nil {
			d := xml.NewDecoder(bytes.NewReader(data))
			d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
			for {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("encoding/xml refuses it: %v", err)
				}
			}
		}
		fast, fastNames, fastErr := read(data, asBase64)
		switch {
		case fastErr == nil:
			// The bounds differ only in that white space counts in a text.
			if errors.Is(err, xmldoc.ErrLong) {
				return
			}
			if err != nil || fmt.Sprint(names) != fmt.Sprint(fastNames) || len(slow) != len(fast) {
				t.Fatalf("as text: %v %q, as base64: %q", err, names, fastNames)
			}
			for i, text := range slow {
				text = strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(text)
				want, err := base64.StdEncoding.Strict().DecodeString(text)
				if err != nil || string(want) != fast[i] {
					t.Fatalf("%q: %v", text, err)
				}
			}
		case err == nil && !errors.Is(fastErr, xmldoc.ErrBase64):
			t.Fatalf("as text it can be read: %v", fastErr)
		}
	})
}
