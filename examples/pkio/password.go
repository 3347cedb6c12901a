package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// javaPassword is what Java's own key stores have, and most others.
const javaPassword = "changeit"

// passwords are the flags for passwords. They name where a password is and are none:
// arguments of a program are seen by everybody on the machine.
type passwords struct {
	env, files []string
}

const defaultPasswordEnv = "PKIO_PASSWORD"

func (p *passwords) flags(cmd *cobra.Command, prefix, of string) {
	cmd.Flags().StringArrayVar(&p.env, prefix+"password-env", nil, "`name` of a variable with the password"+of)
	cmd.Flags().StringArrayVar(&p.files, prefix+"password-file", nil, "`file` with the password"+of+", or some, one a line")
}

// given reports whether one of the flags is there.
func (p *passwords) given() bool { return len(p.env)+len(p.files) > 0 }

// known returns the passwords that were given. PKIO_PASSWORD counts if no flag is there.
func (p *passwords) known() ([]string, error) {
	var all []string
	for _, name := range p.env {
		value, ok := os.LookupEnv(name)
		if !ok { // it is not repeated: it may be the password itself
			return nil, errors.New("there is no environment variable of the name given for the password")
		}
		all = append(all, value)
	}
	for _, path := range p.files {
		lines, err := passwordLines(path)
		if err != nil {
			return nil, err
		}
		all = append(all, lines...)
	}
	if !p.given() {
		if value := os.Getenv(defaultPasswordEnv); value != "" {
			all = append(all, value)
		}
	}
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	if len(all) == 0 && p.given() {
		return nil, errors.New("the password that was given is empty")
	}
	return all, nil
}

const maxPasswordFile = 64 << 10

func passwordLines(path string) ([]string, error) {
	data, err := readFile(path, maxPasswordFile)
	if err != nil {
		return nil, fmt.Errorf("the file with the password: %w", err)
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return nil, fmt.Errorf("the file with the password, %q, is not one: it is binary", path)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // which editors on Windows put there
	return strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n"), nil
}

// errNoPrompt says that there is nobody to ask.
var errNoPrompt = errors.New("there is no terminal to ask for it")

// errStopped says that a signal came.
var errStopped = errors.New("stopped")

// prompt asks for a password on the terminal.
func prompt(cmd *cobra.Command, what string) (string, error) {
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", errNoPrompt
	}
	before, err := term.GetState(int(in.Fd()))
	if err != nil {
		return "", errNoPrompt
	}
	fmt.Fprint(cmd.ErrOrStderr(), what+": ")
	type answer struct {
		data []byte
		err  error
	}
	typed := make(chan answer, 1)
	go func() {
		data, err := term.ReadPassword(int(in.Fd()))
		typed <- answer{data, err}
	}()
	select {
	case a := <-typed:
		fmt.Fprintln(cmd.ErrOrStderr())
		return string(a.data), a.err
	case <-cmd.Context().Done():
		// The reading cannot be stopped, and ends with the program. The terminal must
		// show again what is typed.
		err := term.Restore(int(in.Fd()), before)
		fmt.Fprintln(cmd.ErrOrStderr())
		return "", errors.Join(errStopped, err)
	}
}
