package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	model "github.com/go-pkioverheid/trust/examples/internal/audit"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// saidTexts are the texts that the tool says, found in its sources.
func saidTexts(t *testing.T) map[string]string {
	t.Helper()
	said := map[string]string{}
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			arg := 0
			if method.Sel.Name == "count" {
				arg = 1
			} else if method.Sel.Name != "say" {
				return true
			}
			if len(call.Args) <= arg {
				return true
			}
			text, ok := call.Args[arg].(*ast.BasicLit)
			if !ok {
				return true
			}
			s, err := strconv.Unquote(text.Value)
			require.NoError(t, err)
			said[s] = name
			if method.Sel.Name == "count" {
				said[s+"s"] = name
			}
			return true
		})
	}
	for _, m := range regexp.MustCompile(`\{\{t ("[^"]*")`).FindAllStringSubmatch(reportHTML, -1) {
		s, err := strconv.Unquote(m[1])
		require.NoError(t, err)
		said[s] = "report.html"
	}
	// What is said by way of a variable.
	for _, s := range []string{"certificate", "certificates", "CA", "CAs", isForTests,
		"One certificate must be replaced now", "%s certificates must be replaced now", "One CA must be taken out of what is trusted now", "%s CAs must be taken out of what is trusted now",
		"One certificate must be replaced within 90 days", "%s certificates must be replaced within 90 days", "One certificate must be replaced later", "%s certificates must be replaced later",
		"One certificate imitates PKIoverheid", "%s certificates imitate PKIoverheid",
		"One certificate is beside the key of another", "%s certificates are beside the keys of others",
		"Problem", "To make it work", "Advice", "OIN", "Issued by", "SHA-256", "other", "trusted", "revoked", "withdrawn", "matches nothing", foundElsewhere,
	} {
		said[s] = "a variable"
	}
	for _, text := range toFillIn {
		said[text] = "to fill in"
	}
	for _, text := range failures {
		said[text] = "a failure"
	}
	for _, s := range []string{pkioverheid.ByKey, pkioverheid.ByName, recognisedBy(pkioverheid.ByKeyIdentifier)} {
		said[s] = "how it was recognised"
	}
	for _, s := range []chain.Reason{chain.NotYetValid, chain.Distrusted} {
		said[string(s)] = "a reason"
	}
	for _, s := range []string{"valid at that time", "signed by the CA above", "a CA", "its key may sign certificates", "a root that is trusted here", "for this host",
		"not among the roots that are trusted here", "its issuer was not looked at"} {
		said[s] = "an observation"
	}
	for _, o := range advice.Orders() {
		for _, s := range append(o.Contents, o.Product) {
			said[s] = "an order"
		}
	}
	for _, c := range pageClasses {
		said[string(c)], said[classLabels[c]] = "a class", "a class"
	}
	for m := time.January; m <= time.December; m++ {
		said[m.String()] = "a month"
	}
	for text := range model.Texts() {
		said[text] = "a text of an audit"
	}
	for _, c := range []certificate{{Do: classFix}, {Do: classNow, Status: model.WrongKey}, {Do: classNow, CA: true}, {CA: true}, {}} {
		said[changeFor(&c)] = "a change"
	}
	for _, h := range append(pkioverheid.Hierarchies(), pkioverheid.G3) {
		for _, ca := range h.Certificates() {
			claim, _ := pkioverheid.ClaimOf(ca)
			said[string(claim.Role)] = "a role"
		}
	}
	said[string(pkioverheid.EndEntity)] = "a role"
	for _, source := range sources(t) {
		said[source] = "a source"
	}
	for _, use := range []inventory.Use{inventory.TrustAnchor, inventory.RestrictedAnchor, inventory.KeyEntry, inventory.KeyChain, inventory.SAMLSigning, inventory.SAMLEncryption,
		inventory.SAMLAnyUse, inventory.DocumentSignature, inventory.CPAParty, inventory.WSSecurityToken, inventory.JWKCertificate, inventory.JWSCertificate,
		inventory.TrustedListService, inventory.ForwardedClient, inventory.TLSServer, inventory.TLSChain, inventory.KeyMismatch} {
		said[string(use)] = "a use"
	}
	return said
}

// sources are those that advice can name: the ones of constants are read in the code.
func sources(t *testing.T) (all []string) {
	t.Helper()
	for _, folder := range []string{"", "advice"} {
		names, err := filepath.Glob(filepath.Join("..", "..", "pkioverheid", folder, "*.go"))
		require.NoError(t, err)
		for _, name := range names {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				spec, ok := n.(*ast.ValueSpec)
				if !ok || len(spec.Values) == 0 || !strings.HasPrefix(spec.Names[0].Name, "source") {
					return true
				}
				if text, ok := spec.Values[0].(*ast.BasicLit); ok {
					s, err := strconv.Unquote(text.Value)
					require.NoError(t, err)
					all = append(all, s)
				}
				return true
			})
		}
	}
	require.Greater(t, len(all), 8)
	return all
}

// Names that are the same in both languages.
var international = []string{"OIN", "SHA-256"}

// Every text is there in Dutch, with the same things to fill in, and none too many.
func TestEveryTextIsThereInDutch(t *testing.T) {
	said := saidTexts(t)
	verbs := regexp.MustCompile(`%(\[\d+\])?[a-z]`)
	for text, where := range said {
		translated, ok := dutchTexts[text]
		if !assert.True(t, ok || slices.Contains(international, text), "%q of %s is not there in Dutch", text, where) || !ok {
			continue
		}
		want, got := verbs.FindAllString(text, -1), verbs.FindAllString(translated, -1)
		assert.Len(t, got, len(want), "%q", text)
	}
	for text := range dutchTexts {
		assert.Contains(t, said, text, "it is said nowhere")
	}
}

func TestTheLanguageIsThatOfTheFlagOrTheEnvironment(t *testing.T) {
	for _, test := range []struct {
		name, flag, all, messages, lang string
		want                            language
	}{
		{"nothing is set", "", "", "", "", english},
		{"LANG is Dutch", "", "", "", "nl_NL.UTF-8", dutch},
		{"LC_MESSAGES goes before LANG", "", "", "C", "nl_NL.UTF-8", english},
		{"LC_ALL goes before both", "", "nl_BE", "C", "en_GB", dutch},
		{"the flag goes before all", "en", "nl_NL", "nl_NL", "nl_NL", english},
		{"the flag alone", "nl", "C", "", "", dutch},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("LC_ALL", test.all)
			t.Setenv("LC_MESSAGES", test.messages)
			t.Setenv("LANG", test.lang)
			got, err := languageOf(test.flag)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
	_, err := languageOf("fr")
	assert.EqualError(t, err, `--lang "fr": want en or nl`)
}

func TestNumbersAndDatesAreWrittenAsTheirReadersDo(t *testing.T) {
	at := time.Date(2027, 12, 31, 0, 0, 0, 0, time.UTC)
	assert.Equal(t, []string{"31 December 2027", "2027-12-31", "20,000 certificates"}, []string{english.day(at), english.date(date(at)), english.count(20000, "certificate")})
	assert.Equal(t, []string{"31 december 2027", "31-12-2027", "20.000 certificaten"}, []string{dutch.day(at), dutch.date(date(at)), dutch.count(20000, "certificate")})
	assert.Equal(t, "", dutch.date(""))
}
