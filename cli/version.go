package cli

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newVersion(g *globals) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which version this is",
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := struct {
				Version string `json:"version"`
				Commit  string `json:"commit,omitempty"`
				Date    string `json:"date,omitempty"`
				Go      string `json:"go"`
				OS      string `json:"os"`
				Arch    string `json:"arch"`
			}{g.build.Version, g.build.Commit, g.build.Date, runtime.Version(), runtime.GOOS, runtime.GOARCH}
			if out.json() {
				return writeJSON(cmd.OutOrStdout(), v)
			}
			words := []string{"tenantry", v.Version, v.Commit, v.Date, v.OS + "/" + v.Arch, v.Go}
			words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
			_, err := fmt.Fprintln(cmd.OutOrStdout(), strings.Join(words, " "))
			return err
		},
	}
	out.flag(cmd)
	return cmd
}
