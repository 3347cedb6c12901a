package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// jsonLines writes an array, one finding on a line, so that nothing is kept.
type jsonLines struct {
	out  *bufio.Writer
	some bool
}

func newJSONLines(out io.Writer) *jsonLines { return &jsonLines{out: bufio.NewWriter(out)} }

func (j *jsonLines) take(r inventory.Result) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	before := "[\n"
	if j.some {
		before = ",\n"
	}
	j.some = true
	_, err = j.out.WriteString(before + string(data))
	return err
}

func (j *jsonLines) close() error {
	end := "\n]\n"
	if !j.some {
		end = "[]\n"
	}
	if _, err := j.out.WriteString(end); err != nil {
		return err
	}
	return j.out.Flush()
}

// csvLines writes CSV (RFC 4180) that spreadsheets take as text.
type csvLines struct {
	out  *bufio.Writer
	head bool
}

func newCSVLines(out io.Writer) *csvLines { return &csvLines{out: bufio.NewWriter(out)} }

var csvColumns = []string{"do", "by", "status", "state", "hierarchy", "role", "name", "target", "path", "path_base64", "place",
	"format", "use", "party", "subject", "issuer", "serial", "not_before", "not_after", "tsp", "oin", "sha256",
	"replacement", "supplier", "advice", "reason", "error"}

func (c *csvLines) take(r inventory.Result) error {
	if err := c.heading(); err != nil {
		return err
	}
	row := map[string]string{
		"do":     classOf(r).String(),
		"state":  r.State(),
		"target": r.Target,
		"path":   r.Path,
		"place":  r.Place,
		"party":  r.Party,
	}
	if !utf8.ValidString(r.Path) {
		row["path_base64"] = base64.StdEncoding.EncodeToString([]byte(r.Path))
	}
	if r.Format != 0 {
		row["format"] = r.Format.String()
	}
	if r.Err != nil {
		row["error"] = r.Err.Error()
	}
	if x := r.Certificate; x != nil {
		a := r.Advice()
		row["name"], row["use"], row["sha256"] = nameOf(x), r.Use.String(), r.Fingerprint().String()
		row["subject"], row["issuer"] = safetext.Name(x.Subject, 1024), safetext.Name(x.Issuer, 1024)
		if x.SerialNumber != nil && x.SerialNumber.BitLen() <= 8*64 {
			row["serial"] = x.SerialNumber.Text(16)
		}
		row["not_before"], row["not_after"] = date(x.NotBefore), date(x.NotAfter)
		if id, ok := r.Claim(); ok {
			row["hierarchy"], row["role"], row["tsp"], row["oin"] = id.Hierarchy.String(), id.Role.String(), string(id.TSP), string(id.OIN)
		}
		row["status"], row["supplier"], row["advice"] = a.Status.String(), string(a.Supplier), a.Text
		if !a.Deadline.IsZero() {
			row["by"] = date(a.Deadline)
		}
		if a.Replacement != 0 {
			row["replacement"] = a.Replacement.String()
		}
		if _, err := r.Chain(); err != nil {
			row["reason"] = err.Error()
		}
	}
	cells := make([]string, len(csvColumns))
	for i, name := range csvColumns {
		cells[i] = row[name]
	}
	return c.write(cells)
}

func (c *csvLines) heading() error {
	if c.head {
		return nil
	}
	c.head = true
	return c.write(csvColumns)
}

func (c *csvLines) write(cells []string) error {
	for i, cell := range cells {
		cells[i] = csvCell(cell)
	}
	_, err := c.out.WriteString(strings.Join(cells, ",") + "\r\n")
	return err
}

func (c *csvLines) close() error {
	if err := c.heading(); err != nil {
		return err
	}
	return c.out.Flush()
}

// formula is where a spreadsheet would begin a formula: at the start of a cell, and, as
// Dutch ones part cells by semicolons, after one of these.
var formula = regexp.MustCompile(`(^|;)([\s"]*[=+\-@\t\r＝＋－＠])`)

// csvCell makes text of others a cell that is text and nothing else.
func csvCell(s string) string {
	if s == "-" {
		return s // ours, and the whole cell
	}
	// As it was: an escape begins with a backslash. Most text needs no look.
	if strings.ContainsRune(s, ';') || strings.IndexFunc(s, isLetterOrDigit) != 0 {
		s = formula.ReplaceAllString(s, "$1'$2")
	}
	s = safetext.Shorten(safetext.Printable(s, maxText), maxText)
	if strings.ContainsAny(s, "\",;'") || strings.TrimSpace(s) != s {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

func isLetterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
