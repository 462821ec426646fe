package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tenantry/app/config"
)

// urlFlags are those of a storage URL: --NAME, --NAME-file and --NAME-stdin.
type urlFlags struct {
	// name is the flag's; of says where what is, for messages, such as "the
	// cluster is"; help explains the flag.
	name, of, help string

	url, file string
	stdin     bool
}

func (u *urlFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&u.url, u.name, "", u.help)
	f.StringVar(&u.file, u.name+"-file", "", "file with that URL; for one with a password")
	f.BoolVar(&u.stdin, u.name+"-stdin", false, "read that URL from standard input")
}

// given counts the flags that were given.
func (u *urlFlags) given(cmd *cobra.Command) (n int) {
	for _, name := range []string{u.name, u.name + "-file", u.name + "-stdin"} {
		if cmd.Flags().Changed(name) {
			n++
		}
	}
	return n
}

// read gives the URL. One with a password is not taken from the command line,
// which the list of processes shows.
func (u *urlFlags) read(cmd *cobra.Command) (string, error) {
	switch {
	case u.given(cmd) != 1:
		return "", usageError(cmd, fmt.Errorf("say where %[1]s with one of --%[2]s, --%[2]s-file and --%[2]s-stdin", u.of, u.name))
	case u.stdin:
		url, err := readLine(cmd.InOrStdin())
		if err != nil {
			return "", usageError(cmd, fmt.Errorf("no URL on standard input: %w", err))
		}
		return strings.TrimSpace(url), nil
	case u.file != "":
		raw, err := os.ReadFile(filepath.Clean(u.file))
		if err != nil {
			return "", usageError(cmd, fmt.Errorf("the URL cannot be read: %w", err))
		}
		return strings.TrimSpace(string(raw)), nil
	case config.Secret(u.url):
		return "", usageError(cmd, errors.New("the list of processes would show the password in --"+u.name+
			"; give the URL with --"+u.name+"-file or --"+u.name+"-stdin"))
	}
	return u.url, nil
}
