package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
)

// language is that of tables, reports and advice. The zero value is English, in which
// the texts are where they are used; the others have theirs in a file each.
type language string

const (
	english language = "en"
	dutch   language = "nl"
)

// languageOf is the language of a flag, or else of the environment (POSIX, locale).
func languageOf(flag string) (language, error) {
	switch language(flag) {
	case english, dutch:
		return language(flag), nil
	case "":
	default:
		return english, fmt.Errorf("--lang %q: want en or nl", flag)
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			if strings.HasPrefix(value, "nl") {
				return dutch, nil
			}
			break
		}
	}
	return english, nil
}

// langFlag is the flag for it, of commands that write no report.
type langFlag string

func (f *langFlag) flag(cmd *cobra.Command) {
	cmd.Flags().StringVar((*string)(f), "lang", "", langUsage)
	complete(cmd, "lang", "en", "nl")
}

func (f langFlag) language() (language, error) { return languageOf(string(f)) }

const langUsage = "`language`: en or nl (default by LC_ALL, LC_MESSAGES, LANG)"

// name is the language as a name that is never empty.
func (l language) name() string {
	if l == dutch {
		return string(dutch)
	}
	return string(english)
}

// say says an English text, filled in as fmt.Sprintf does, in the language.
func (l language) say(text string, args ...any) string {
	if l == dutch {
		if translated, ok := dutchTexts[text]; ok {
			text = translated
		}
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// count is a number of things, whose name is in the singular.
func (l language) count(n int, what string) string {
	if n == 1 {
		return "1 " + l.say(what)
	}
	return l.number(n) + " " + l.say(what+"s")
}

// number is one with its thousands apart.
func (l language) number(n int) string {
	if l == dutch {
		return strings.ReplaceAll(thousands(n), ",", ".")
	}
	return thousands(n)
}

// date is a date, given as 2027-12-31, in a table.
func (l language) date(iso string) string {
	if l != dutch {
		return iso
	}
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return iso
	}
	return t.Format("02-01-2006")
}

// day is a date in a sentence.
func (l language) day(t time.Time) string {
	if l == dutch {
		return fmt.Sprintf("%d %s %d", t.Day(), l.say(t.Month().String()), t.Year())
	}
	return t.Format("2 January 2006")
}

// list names the first of a list, and how many more there are.
func (l language) list(all []string, most int) string {
	if len(all) == most+1 {
		most++ // it takes no more room than the words
	}
	return l.names(all, most)
}

// names does so for so many of them.
func (l language) names(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return l.say("%s and %s more", strings.Join(all[:most], ", "), l.number(len(all)-most))
}

// do is what is to be done, in a word.
func (l language) do(c class) string { return l.say(string(c)) }

// hierarchy is the name of one.
func (l language) hierarchy(text string) string { return l.say(hierarchyName(text)) }

// dutchPlaces are the words in a place in a file.
var dutchPlaces = strings.NewReplacer("line ", "regel ", "entry ", "item ", "certificate ", "certificaat ", "chain position ", "plaats in de keten ")

// place is one in a file, in which quoted names stay as they are.
func (l language) place(place string) string {
	if l != dutch {
		return place
	}
	parts := strings.Split(place, `"`)
	for i := 0; i < len(parts); i += 2 {
		parts[i] = dutchPlaces.Replace(parts[i])
	}
	return strings.Join(parts, `"`)
}

// where names the file or the server, and the place in it.
func (l language) where(p *place) string {
	translated := *p
	translated.Place = l.place(p.Place)
	return whereIs(&translated)
}

// state is one as people read it.
func (l language) state(state string) string { return l.say(model.StateWords(state)) }

// reason is why a certificate imitates PKIoverheid.
func (l language) reason(c *certificate) string {
	if l == dutch {
		return dutchReasons.Replace(c.Reason)
	}
	return c.Reason
}

// trouble is what keeps a place from being looked at, and what to do about it.
func (l language) trouble(n *notRead) string {
	text := n.Error
	if n.Advice != "" {
		text += ": " + n.Advice
	}
	return l.why(text)
}

// why says why something could not be looked at, in the language as far as it is there.
func (l language) why(text string) string {
	if l == dutch {
		return placeInText.ReplaceAllStringFunc(dutchErrors.Replace(text), dutchPlaces.Replace)
	}
	return text
}

// placeInText is a place in a text, in which the words may mean something else.
var placeInText = regexp.MustCompile(`\b(?:line|entry|certificate|chain position) ["0-9]`)

// advice is that of a certificate.
func (l language) advice(c *certificate) string {
	if l == dutch && c.AdviceDutch != "" {
		return c.AdviceDutch
	}
	return c.Advice
}

// text is that of advice.
func (l language) text(a advice.Advice) string {
	if l == dutch {
		return a.Dutch().Text
	}
	return a.Text
}

// error is an error about a place, in the language as far as it is there.
func (l language) error(err error) error {
	if l != dutch {
		return err
	}
	return errors.New(l.why(told(err)))
}

// product and contents are those of an order.
func (l language) product(o *order) string {
	if l == dutch {
		return o.ProductDutch
	}
	return o.Product
}

func (l language) contents(o *order) []string {
	if l == dutch {
		return o.ContentsDutch
	}
	return o.Contents
}

// hierarchyName is one as people read it; "other" for none.
func hierarchyName(text string) string {
	return cmp.Or(pkioverheid.Hierarchy(text).String(), "other")
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }
