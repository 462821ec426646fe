package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"
)

// output is the -o flag of everything that prints things.
type output struct{ format string }

func (o *output) flag(cmd *cobra.Command) {
	o.format = "table"
	cmd.Flags().VarP(o, "output", "o", "output format: table or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

func (o *output) json() bool { return o.format == "json" }

// String, Set and Type make output a pflag.Value that checks itself.
func (o *output) String() string { return o.format }

// Set takes "table" or "json".
func (o *output) Set(s string) error {
	if s != "table" && s != "json" {
		return fmt.Errorf("%q is not an output format; use table or json", s)
	}
	o.format = s
	return nil
}

// Type names the value in help.
func (o *output) Type() string { return "format" }

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// writeTable aligns the rows, the first of which may be a head. It counts the
// cells of the terminal: a Chinese character or an emoji takes two.
func writeTable(w io.Writer, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], runewidth.StringWidth(harmless(cell)))
		}
	}
	var table strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			cell = harmless(cell)
			table.WriteString(cell)
			if i < len(row)-1 {
				table.WriteString(strings.Repeat(" ", widths[i]-runewidth.StringWidth(cell)+2))
			}
		}
		table.WriteByte('\n')
	}
	_, err := io.WriteString(w, table.String())
	return err
}

// harmless keeps what somebody typed into a name from steering the terminal.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// harmlessLines is harmless for what has lines of its own.
func harmlessLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = harmless(lines[i])
	}
	return strings.Join(lines, "\n")
}
