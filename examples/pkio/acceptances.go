package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	iofs "io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// acceptances are the findings that somebody accepts, as a file has them: one on each
// line, with the last day, the SHA-256 of a certificate or a place, and the reason.
type acceptances struct {
	path    string
	entries []acceptance
	lines   []string // with the comments, as they are
}

// foundElsewhere is why a place accepts nothing: every certificate in it has another place.
const foundElsewhere = "found in other places too, and so it counts"

const maxAcceptances = 8 << 20 // bytes of the file

// readAcceptances reads a file; one that is not there is empty if it may be made.
func readAcceptances(path string, mayBeNew bool) (*acceptances, error) {
	all := &acceptances{path: path}
	data, err := readFile(path, maxAcceptances)
	if mayBeNew && errors.Is(err, iofs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 64<<10)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		all.lines = append(all.lines, line)
		if text := strings.TrimSpace(line); text == "" || text[0] == '#' {
			continue
		}
		a, err := parseAcceptance(line)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", safetext.Printable(path, 300), n, err)
		}
		all.entries = append(all.entries, a)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", safetext.Printable(path, 300), err)
	}
	return all, nil
}

func parseAcceptance(line string) (a acceptance, err error) {
	until, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if _, err := time.Parse(time.DateOnly, until); err != nil {
		return a, fmt.Errorf("want a date, as 2027-03-31, then a SHA-256 or a place, then the reason: got %s", safetext.Quote(until))
	}
	rest = strings.TrimSpace(rest)
	what, reason, _ := strings.Cut(rest, " ")
	if quoted, err := strconv.QuotedPrefix(rest); err == nil {
		reason = rest[len(quoted):]
		if what, err = strconv.Unquote(quoted); err != nil {
			return a, err
		}
	}
	a = acceptance{Until: until, Reason: safetext.Printable(strings.TrimSpace(reason), 500)}
	if a.Reason == "" {
		return a, errors.New("the reason is missing, after the date and the SHA-256 or place")
	}
	return a, concern(&a, what)
}

// concern sets what an acceptance is about: a certificate or a place.
func concern(a *acceptance, what string) error {
	switch {
	case isSHA256(what):
		a.SHA256 = strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(what, "sha256:"), ":", ""))
	case what == "":
		return errors.New("the SHA-256 or the place is missing")
	case strings.HasPrefix(what, "sha256:"):
		return fmt.Errorf("%s is not a SHA-256: want 64 hexadecimal digits", safetext.Quote(what))
	default:
		a.Place = placeOf(what)
	}
	return nil
}

// isSHA256 reports whether a text is one as people write it.
func isSHA256(what string) bool {
	hash := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(what, "sha256:"), ":", ""))
	return len(hash) == 64 && strings.Trim(hash, "0123456789abcdef") == ""
}

// placeOf is a path or server as it is compared: ./x and x/ are x.
func placeOf(what string) string {
	if strings.Contains(what, "://") {
		return strings.TrimRight(what, "/")
	}
	return path.Clean(what)
}

// line is the acceptance as a file has it.
func lineOf(a acceptance) string {
	what := a.SHA256
	if what == "" {
		what = a.Place
		if concern(new(acceptance), what) != nil || isSHA256(what) {
			what = "./" + what // a file that is called so
		}
		if strings.ContainsFunc(what, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune("\"'`", r) }) {
			what = strconv.Quote(what)
		}
	}
	return a.Until + " " + what + " " + a.Reason
}

// add adds an entry, in the place of one about the same.
func (all *acceptances) add(a acceptance) {
	all.lines = slices.DeleteFunc(all.lines, func(line string) bool {
		old, err := parseAcceptance(line)
		return err == nil && old.SHA256 == a.SHA256 && old.Place == a.Place
	})
	if len(all.lines) == 0 {
		all.lines = append(all.lines, "# Findings of pkio audit that are accepted: the last day, the SHA-256 of a", "# certificate or a place, and the reason. Use it with pkio audit --accept.")
	}
	all.lines = append(all.lines, lineOf(a))
}

// covers reports whether an acceptance is about a place: the file or server itself, or a
// file below the folder.
func covers(a *acceptance, target, file string) bool {
	if file == "" {
		return a.Place == placeOf(target)
	}
	file = path.Clean(file)
	if a.Place == "." {
		return !filepath.IsAbs(file) && file != ".." && !strings.HasPrefix(file, "../")
	}
	return a.Place == file || strings.HasPrefix(file, strings.TrimSuffix(a.Place, "/")+"/")
}

// apply marks what is accepted, and returns the entries that have no effect.
func (all *acceptances) apply(found *model.Audit) (stale []staleAcceptance) {
	if all == nil {
		return nil
	}
	today := date(found.Run.At)
	matched, effect := make([]bool, len(all.entries)), make([]bool, len(all.entries))
	for _, c := range found.Certificates {
		if c.Do.NeedsAction() {
			all.accept(c, today, matched, effect)
		}
	}
	for j := range found.NotRead {
		n := &found.NotRead[j]
		for i := range all.entries {
			a := &all.entries[i]
			if a.Until >= today && a.SHA256 == "" && !n.Skipped && covers(a, n.Target, n.Path) {
				matched[i], effect[i], n.Accepted = true, true, a
			}
		}
	}
	for i, a := range all.entries {
		switch {
		case a.Until < today:
			stale = append(stale, staleAcceptance{Acceptance: a, Why: "ended"})
		case !matched[i]:
			stale = append(stale, staleAcceptance{Acceptance: a, Why: "matches nothing"})
		case !effect[i]:
			stale = append(stale, staleAcceptance{Acceptance: a, Why: foundElsewhere})
		}
	}
	return stale
}

// accept marks a certificate that is accepted: by its SHA-256, or at all of its places, and
// then until the first of these dates.
func (all *acceptances) accept(c *certificate, today string, matched, effect []bool) {
	covered := make([]bool, len(c.Places))
	var places []int
	var first *acceptance
	for i := range all.entries {
		a := &all.entries[i]
		if a.Until < today {
			continue
		}
		if a.SHA256 != "" {
			if a.SHA256 == c.SHA256 {
				matched[i], effect[i] = true, true
				if c.Accepted == nil {
					c.Accepted = a
				}
			}
			continue
		}
		n := 0
		for j := range c.Places {
			if covers(a, c.Places[j].Target, c.Places[j].Path) {
				n, covered[j] = n+1, true
			}
		}
		if n > 0 {
			matched[i], places = true, append(places, i)
		}
		if n == len(c.Places) && first == nil {
			first = a
		}
	}
	if len(places) == 0 || slices.Contains(covered, false) {
		return
	}
	single := first != nil
	for _, i := range places {
		effect[i] = true
		if a := &all.entries[i]; first == nil || !single && a.Until < first.Until {
			first = a
		}
	}
	if c.Accepted == nil {
		c.Accepted = first
	}
}
