// Package enum gives the enumerations of this module one form as text: constants count
// from zero, each has one text, and an empty text means a zero value without meaning.
package enum

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// String returns the text of v, or "name(N)" where it has none.
func String[T ~uint8](name string, v T, texts []string) string {
	if int(v) >= len(texts) {
		return name + "(" + strconv.Itoa(int(v)) + ")"
	}
	return texts[v]
}

// Marshal is for MarshalText. what names the enumeration in errors.
func Marshal[T ~uint8](what string, v T, texts []string) ([]byte, error) {
	if int(v) >= len(texts) {
		return nil, fmt.Errorf("pkioverheid: no such %s: %d", what, uint8(v))
	}
	return []byte(texts[v]), nil
}

// Unmarshal is for UnmarshalText. what names the enumeration in errors.
func Unmarshal[T ~uint8](what string, v *T, text []byte, texts []string) error {
	i := slices.Index(texts, string(text))
	if i < 0 {
		return fmt.Errorf("pkioverheid: unknown %s %s: want %s", what, safetext.Quote(string(text)),
			strings.Join(slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return s == "" }), ", "))
	}
	*v = T(i)
	return nil
}
