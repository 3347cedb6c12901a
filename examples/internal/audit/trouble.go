package audit

import (
	"errors"
	iofs "io/fs"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// explained is an error of the library that has apart what is wrong and what a program
// can do about it.
type explained interface {
	error
	ProblemAdvice() (problem, advice string)
}

// Trouble is the error of a result in terms of pkio, and what to do about it.
func Trouble(r inventory.Result) (problem, advice string) {
	if r.Path == r.Target && errors.Is(r.Err, iofs.ErrNotExist) {
		return "no such file or folder, and a server is given as HOST, HOST:PORT or https://HOST/", ""
	}
	var e explained
	if !errors.As(r.Err, &e) {
		return ErrorText(r.Err), ""
	}
	problem, advice = e.ProblemAdvice()
	switch {
	case errors.Is(r.Err, truststore.ErrPassword):
		advice = "give its password with --password-file"
	case advice != "": // a file beyond inventory.Config.MaxFileSize
		advice = "if there can be certificates in it, copy them into a file of their own"
	}
	return ErrorText(errors.New(problem)), advice
}

// ErrorText is an error of the library as users of pkio read it, printable, on one line,
// and without the name of a package where the error has that apart.
func ErrorText(err error) string {
	text := err.Error()
	if e, ok := err.(explained); ok {
		problem, advice := e.ProblemAdvice()
		if text = problem; advice != "" {
			text += ": " + advice
		}
	}
	return safetext.Printable(strings.Join(strings.Fields(text), " "), MaxText)
}

// Texts are the fixed texts of problems and states, for whoever translates them.
func Texts() iter.Seq[string] {
	problems := []string{leafAlone, notWhole, notInOrder, rootIsThere, otherKey}
	return slices.Values(slices.AppendSeq(problems, maps.Values(stateTexts)))
}
