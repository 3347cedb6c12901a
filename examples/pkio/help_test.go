package main

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// helpText is what pkio writes about a command or topic.
func helpText(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	root := newRoot()
	root.SetOut(&out)
	root.SetArgs(args)
	require.NoError(t, root.Execute())
	return out.String()
}

// Each help is one screen, and begins with what the command is for.
func TestEachHelpIsOneScreen(t *testing.T) {
	calls := map[string][]string{"pkio": {"--help"}}
	for _, cmd := range newRoot().Commands() {
		if cmd.IsAvailableCommand() {
			calls[cmd.Name()] = []string{cmd.Name(), "--help"}
		}
	}
	for _, topic := range topics {
		calls["help "+topic.name] = []string{"help", topic.name}
	}
	for name, args := range calls {
		t.Run(name, func(t *testing.T) {
			text := helpText(t, args...)
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			assert.LessOrEqual(t, len(lines), screenHeight, text)
			for _, line := range lines {
				assert.LessOrEqual(t, utf8.RuneCountInString(line), screenWidth, line)
				assert.Equal(t, strings.TrimRight(line, " "), line)
			}
			if args[0] != "help" {
				assert.Regexp(t, "^"+name+" [a-z]+s ", text, "what it is for")
			}
		})
	}
}

// No flag is lost: each is in the help of its command, or in the topic that this names.
func TestEachFlagIsInTheHelp(t *testing.T) {
	for _, cmd := range newRoot().Commands() {
		if !cmd.IsAvailableCommand() {
			continue
		}
		text := helpText(t, cmd.Name(), "--help")
		_, groups, _ := strings.Cut(text, "More flags")
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			assert.Regexp(t, `--`+f.Name+`\b`, text, cmd.Name())
			if strings.Contains(groups, "--"+f.Name) {
				assert.True(t, slices.ContainsFunc(topics, func(t topic) bool { return slices.Contains(t.flags, f.Name) }), f.Name)
			}
		})
	}
	for _, topic := range topics {
		text := helpText(t, "help", topic.name)
		for _, flag := range topic.flags {
			assert.Contains(t, text, "--"+flag)
		}
	}
}
