package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// isTerminal reports whether w, or a reader, is a person's terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// maxLine bounds what is read of one line, in bytes.
const maxLine = 4096

// readLine reads one line without its end.
func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxLine)).ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || line == "") {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// readPassword takes a new password: one line of standard input when asked to,
// else typed twice without being shown.
func readPassword(cmd *cobra.Command, fromStdin bool) (string, error) {
	if fromStdin {
		password, err := readLine(cmd.InOrStdin())
		if err != nil {
			return "", usageError(cmd, fmt.Errorf("no password on standard input: %w", err))
		}
		return password, nil
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !isTerminal(in) {
		return "", usageError(cmd, errors.New("there is no terminal to ask for the password; give it on standard input with --password-stdin"))
	}
	// Before the first question: what is pasted or typed ahead is not shown either.
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	defer func() { _ = term.Restore(int(in.Fd()), before) }()
	screen := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, cmd.ErrOrStderr()}, "")
	ask := func(prompt string) (string, error) {
		answer, err := interruptible(cmd.Context(), func() (string, error) { return screen.ReadPassword(prompt) })
		if errors.Is(err, io.EOF) { // Ctrl-C and Ctrl-D
			err = errInterrupted
		}
		if err != nil {
			_, _ = fmt.Fprint(cmd.ErrOrStderr(), "\r\n")
		}
		return answer, err
	}
	password, err := ask("Password of the owner: ")
	if err != nil {
		return "", err
	}
	again, err := ask("Once more: ")
	if err != nil {
		return "", err
	}
	if password != again {
		return "", fail(exitFailed, errors.New("the two passwords differ; nothing was done"), "")
	}
	return password, nil
}

var errInterrupted = errors.New("interrupted; nothing was done")

// interruptible reads what a person types, until the context ends: reading
// itself goes on through a signal.
func interruptible(ctx context.Context, read func() (string, error)) (string, error) {
	type line struct {
		text string
		err  error
	}
	typed := make(chan line, 1)
	go func() {
		text, err := read()
		typed <- line{text, err}
	}()
	select {
	case l := <-typed:
		return l.text, l.err
	case <-ctx.Done():
		return "", errInterrupted
	}
}

// confirm demands that the word be typed, before something is destroyed.
func confirm(cmd *cobra.Command, warning, word string) error {
	if !isTerminal(cmd.InOrStdin()) {
		return usageError(cmd, errors.New("there is no terminal to ask whether you are sure; say so with --yes"))
	}
	_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%s\nType %s to go on: ", warning, harmless(word))
	typed, err := interruptible(cmd.Context(), func() (string, error) { return readLine(cmd.InOrStdin()) })
	if errors.Is(err, errInterrupted) {
		return err
	}
	if err != nil || strings.TrimSpace(typed) != word {
		return fail(exitFailed, errors.New("not confirmed; nothing was done"), "")
	}
	return nil
}
