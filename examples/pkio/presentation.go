package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// presentation is how an audit is written: in which language, for whom, for which
// spreadsheet. The zero value is English, with commas.
type presentation struct {
	lang language

	title, organisation, author string // of the report

	lists bool // revocation lists were asked

	separator byte // of CSV; 0: a comma
	mark      bool // CSV begins with a byte order mark
}

// presentationFlags are its flags.
type presentationFlags struct {
	lang                        string
	title, organisation, author string
	separator                   string
	mark                        bool
}

func (f *presentationFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.lang, "lang", "", langUsage)
	flags.StringVar(&f.title, "title", "", "the `title` of the report")
	flags.StringVar(&f.organisation, "organisation", "", "the `name` of the organisation in the report")
	flags.StringVar(&f.author, "author", "", "the `name` of who hands the report on")
	flags.StringVar(&f.separator, "csv-separator", ",", "between cells: , or ; or tab (Excel in Dutch: ;)")
	complete(cmd, "lang", "en", "nl")
	complete(cmd, "csv-separator", ",", ";", "tab")
	flags.BoolVar(&f.mark, "csv-bom", false, "begin CSV with a byte order mark, for Excel")
}

// presentation checks the flags.
func (f *presentationFlags) presentation(html, csv bool) (p presentation, err error) {
	if p.lang, err = languageOf(f.lang); err != nil {
		return p, err
	}
	switch {
	case !html && f.title+f.organisation+f.author != "":
		return p, errors.New("--title, --organisation and --author are for the report: give --html too")
	case !csv && (f.mark || f.separator != ","):
		return p, errors.New("--csv-separator and --csv-bom are for CSV: give --csv too")
	}
	separator, ok := map[string]byte{",": ',', ";": ';', "tab": '\t', "\t": '\t'}[f.separator]
	if !ok {
		return p, fmt.Errorf("--csv-separator %q: want , or ; or tab", safetext.Printable(f.separator, 20))
	}
	const most = 200
	p.title, p.organisation, p.author = safetext.Printable(f.title, most), safetext.Printable(f.organisation, most), safetext.Printable(f.author, most)
	p.separator, p.mark = separator, f.mark
	return p, nil
}
