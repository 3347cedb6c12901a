package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
)

// complain writes an error on one line.
func complain(w io.Writer, err error) {
	fmt.Fprintln(w, "pkio: "+told(err))
}

// explained is an error of the library that has apart what is wrong and what a program
// can do about it.
type explained interface {
	error
	ProblemAdvice() (problem, advice string)
}

// told is an error as users of the tool read it, on one line.
func told(err error) string { return model.ErrorText(err) }

// output is standard output, and the first error of writing to it: a list that a full
// disk cut off must not pass for the whole.
type output struct {
	file *os.File
	err  error
}

func (o *output) Write(data []byte) (int, error) {
	n, err := o.file.Write(data)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// isTerminal reports whether somebody watches what is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if out, is := w.(*output); is {
		f, ok = out.file, true
	}
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// paint colours text, for terminals only and never with NO_COLOR (no-color.org).
type paint bool

func painter(w io.Writer) paint {
	return paint(isTerminal(w) && os.Getenv("NO_COLOR") == "")
}

func (p paint) in(code, text string) string {
	if !p {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p paint) red(s string) string    { return p.in("31;1", s) }
func (p paint) yellow(s string) string { return p.in("33", s) }
func (p paint) green(s string) string  { return p.in("32", s) }
func (p paint) bold(s string) string   { return p.in("1", s) }

// wrapped breaks text into lines of at most 80 columns, each after the first with an
// indent.
func wrapped(first, indent, text string) string { return wrappedTo(80, first, indent, text) }

// wrappedTo does so for a terminal of that width; without one the text is one line.
func wrappedTo(width int, first, indent, text string) string {
	if width <= 0 {
		return first + strings.Join(strings.Fields(text), " ") + "\n"
	}
	var out strings.Builder
	line, empty := first, true
	for _, word := range strings.Fields(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			out.WriteString(line + "\n")
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	return out.String() + line + "\n"
}

// widthOf is how many columns a terminal has; 0 if w is none.
func widthOf(w io.Writer) int {
	if !isTerminal(w) {
		return 0
	}
	f, ok := w.(*os.File)
	if out, is := w.(*output); is {
		f, ok = out.file, true
	}
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return max(width, 40)
}
