package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// json is what writeJSON writes.
func (a *audit) json() []byte {
	var out bytes.Buffer
	_ = a.writeJSON(&out) // a Buffer takes all
	return out.Bytes()
}

// writeJSON writes the audit, a certificate on each line.
func (a *audit) writeJSON(to io.Writer) error {
	short := *a
	short.Certificates, short.NotRead = nil, nil
	head, err := json.Marshal(short)
	if err != nil {
		return err
	}
	before, after, _ := strings.Cut(string(head), `"certificates":null,"notRead":null`)
	out := bufio.NewWriter(to)
	fmt.Fprint(out, strings.ReplaceAll(before, `,"summary"`, ",\n\"summary\""), "\n\"certificates\":")
	if err := writeList(out, a.unfolded()); err != nil {
		return err
	}
	fmt.Fprint(out, ",\n\"notRead\":")
	if err := writeList(out, slices.Values(a.NotRead)); err != nil {
		return err
	}
	fmt.Fprintln(out, after)
	return out.Flush()
}

func writeList[T any](out io.Writer, list iter.Seq[T]) error {
	before := "["
	for element := range list {
		data, err := json.Marshal(element)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\n%s", before, data); err != nil {
			return err
		}
		before = ","
	}
	if before == "[" {
		fmt.Fprint(out, "[")
	}
	_, err := fmt.Fprint(out, "]")
	return err
}

// csvColumns are named as in the JSON. Those of a place follow those of the certificate:
// a row is a certificate at a place, or a place that was not looked at.
var csvColumns = []string{"do", "deadline", "overdue", "accepted", "hierarchy", "role", "name",
	"machine", "target", "path", "pathBytes", "place", "format", "use", "party", "state", "reason", "problems",
	"status", "replacement", "supplier", "order", "advice", "adviceDutch", "subject", "issuer", "serial", "notBefore", "notAfter", "ca", "dnsNames",
	"keyType", "keyBits", "signatureAlgorithm", "tsp", "oin", "sha256", "error"}

// writeCSV writes the audit as a table (RFC 4180) that spreadsheets take as text.
func (a *audit) writeCSV(to io.Writer) error {
	out := bufio.NewWriter(to)
	separator := cmp.Or(a.shown.separator, ',')
	if a.shown.mark {
		out.WriteString("\ufeff")
	}
	writeCells(out, csvColumns, separator)
	cells := make([]string, len(csvColumns))
	row := func(values map[string]string) {
		for i, name := range csvColumns {
			cells[i] = values[name]
		}
		writeCells(out, cells, separator)
	}
	for c := range a.unfolded() {
		values := certificateCSV(c)
		for i := range c.Places {
			placeCSV(&c.Places[i], values)
			values["state"], values["reason"] = c.State, c.Reason
			if p := &c.Places[i]; p.State != "" {
				values["state"], values["reason"] = p.State, p.Reason
			}
			row(values)
		}
	}
	for i := range a.NotRead {
		n := &a.NotRead[i]
		values := map[string]string{"do": "error", "error": n.Error, "advice": n.Advice}
		if n.Skipped {
			values["do"] = "skipped"
		}
		if n.Accepted != nil {
			values["accepted"] = n.Accepted.Until + " " + n.Accepted.Reason
		}
		placeCSV(&place{Machine: n.Machine, Target: n.Target, Path: n.Path, PathBytes: n.PathBytes}, values)
		row(values)
	}
	return out.Flush()
}

func certificateCSV(c *certificate) map[string]string {
	values := map[string]string{
		"do": string(c.Do), "deadline": c.Deadline, "hierarchy": c.Hierarchy, "role": c.Role, "name": c.Name,
		"status": c.Status, "replacement": c.Replacement, "supplier": c.Supplier, "advice": c.Advice, "adviceDutch": c.AdviceDutch,
		"subject": c.Subject, "issuer": c.Issuer, "serial": c.Serial,
		"notBefore": c.NotBefore.Format(time.RFC3339), "notAfter": c.NotAfter.Format(time.RFC3339),
		"dnsNames": strings.Join(c.DNSNames, " "), "keyType": c.KeyType, "signatureAlgorithm": c.SignatureAlgorithm, "tsp": c.TSP, "oin": c.OIN, "sha256": c.SHA256,
	}
	if c.Order != nil {
		values["order"] = c.Order.Product
	}
	if c.KeyBits > 0 {
		values["keyBits"] = strconv.Itoa(c.KeyBits)
	}
	if c.Overdue {
		values["overdue"] = "true"
	}
	if c.CA {
		values["ca"] = "true"
	}
	if c.Accepted != nil {
		values["accepted"] = c.Accepted.Until + " " + c.Accepted.Reason
	}
	return values
}

// placeCSV sets the values of a place.
func placeCSV(p *place, values map[string]string) {
	values["machine"] = p.Machine
	values["target"], values["path"], values["place"] = p.Target, p.Path, p.Place
	values["pathBytes"] = base64.StdEncoding.EncodeToString(p.PathBytes)
	values["format"], values["use"], values["party"] = p.Format, p.Use, p.Party
	values["problems"] = strings.Join(p.Problems, " ")
}

func writeCells(out *bufio.Writer, cells []string, separator byte) {
	for i, cell := range cells {
		if i > 0 {
			out.WriteByte(separator)
		}
		out.WriteString(csvCell(cell))
	}
	out.WriteString("\r\n") // an error stays, and Flush returns it
}

// formula is where a spreadsheet would begin a formula: at the start of a cell, and, as
// Dutch ones part cells by semicolons, after one of these.
var formula = regexp.MustCompile(`(^|;)([\s"]*[=+\-@\t\r＝＋－＠])`)

// csvCell makes text of others a cell that is text and nothing else.
func csvCell(s string) string {
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
