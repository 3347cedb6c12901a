package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
	"github.com/go-pkioverheid/trust/pkioverheid"
)

//go:embed audit.schema.json
var schemaText string

// schema is as much of JSON Schema as audit.schema.json uses; anything else in it fails.
type schema struct {
	Schema      string `json:"$schema"`
	Title       string
	Description string
	Ref         string             `json:"$ref"`
	Defs        map[string]*schema `json:"$defs"`
	Type        string
	Const       any
	Enum        []string
	Required    []string
	Properties  map[string]*schema
	More        *bool `json:"additionalProperties"`
	Items       *schema
	MinItems    int
	Minimum     float64
	Pattern     string
	Format      string
}

func readSchema(t testing.TB) *schema {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(schemaText))
	d.DisallowUnknownFields()
	s := new(schema)
	require.NoError(t, d.Decode(s))
	return s
}

// check returns what is wrong with a value.
func (s *schema) check(root *schema, at string, v any) (wrong []string) {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return root.Defs[name].check(root, at, v)
	}
	bad := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	if s.Const != nil && s.Const != v {
		bad("%v is not %v", v, s.Const)
	}
	types := map[string]reflect.Kind{"object": reflect.Map, "array": reflect.Slice, "string": reflect.String, "boolean": reflect.Bool, "number": reflect.Float64, "integer": reflect.Float64}
	if s.Type != "" && (v == nil || reflect.TypeOf(v).Kind() != types[s.Type]) {
		return append(wrong, fmt.Sprintf("%s: %v is not of type %s", at, v, s.Type))
	}
	switch v := v.(type) {
	case string:
		if s.Enum != nil && !slices.Contains(s.Enum, v) {
			bad("%q is not one of %v", v, s.Enum)
		}
		if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
			bad("%q does not match %s", v, s.Pattern)
		}
		if layout := map[string]string{"date": time.DateOnly, "date-time": time.RFC3339}[s.Format]; layout != "" {
			if _, err := time.Parse(layout, v); err != nil {
				bad("%v", err)
			}
		}
	case float64:
		if v < s.Minimum || s.Type == "integer" && v != float64(int64(v)) {
			bad("%v", v)
		}
	case []any:
		if len(v) < s.MinItems {
			bad("%d items", len(v))
		}
		for i, item := range v {
			wrong = append(wrong, s.Items.check(root, fmt.Sprintf("%s[%d]", at, i), item)...)
		}
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				bad("%s is missing", name)
			}
		}
		for name, value := range v {
			if s.Properties[name] == nil {
				bad("%s is not in the schema", name)
				continue
			}
			wrong = append(wrong, s.Properties[name].check(root, at+"."+name, value)...)
		}
	}
	return wrong
}

// keepsTheSchema checks an audit in JSON.
func keepsTheSchema(t testing.TB, text []byte) {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(text, &v))
	s := readSchema(t)
	assert.Empty(t, s.check(s, "audit", v))
}

// Every name that an audit can have is in the schema, and none that it cannot.
func TestTheSchemaHasTheNamesOfTheAudit(t *testing.T) {
	s := readSchema(t)
	names := func(v any) (all []string) {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Anonymous {
				for j := range f.Type.NumField() {
					all = append(all, strings.Split(f.Type.Field(j).Tag.Get("json"), ",")[0])
				}
			} else if f.IsExported() {
				all = append(all, strings.Split(f.Tag.Get("json"), ",")[0])
			}
		}
		return all
	}
	keys := func(s *schema) (all []string) {
		require.NotNil(t, s.More, "an object of the schema has a closed list of names")
		assert.False(t, *s.More)
		for name := range s.Properties {
			all = append(all, name)
		}
		return all
	}
	cert := s.Defs["certificate"]
	for _, pair := range []struct {
		v any
		s *schema
	}{
		{model.Audit{}, s}, {auditRun{}, s.Properties["run"]}, {summary{}, s.Properties["summary"]}, {certificate{}, cert},
		{place{}, cert.Properties["places"].Items}, {order{}, cert.Properties["order"]}, {model.Verdict{}, cert.Properties["otherwise"]}, {notRead{}, s.Properties["notRead"].Items},
		{acceptance{}, s.Defs["acceptance"]}, {staleAcceptance{}, s.Properties["acceptances"].Items},
	} {
		assert.ElementsMatch(t, names(pair.v), keys(pair.s), "%T", pair.v)
	}
	assert.EqualValues(t, formatVersion, s.Properties["version"].Const)
	for _, c := range model.Classes {
		assert.Contains(t, cert.Properties["do"].Enum, string(c))
	}
	for _, h := range append(pkioverheid.Hierarchies(), pkioverheid.G3) {
		assert.Contains(t, cert.Properties["hierarchy"].Enum, string(h))
	}

	// CSV has the names of certificates and places, and of what was not looked at.
	for _, name := range csvColumns {
		assert.Contains(t, append(append(names(certificate{}), names(place{})...), names(notRead{})...), name)
	}
}
