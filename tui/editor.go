package tui

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// editedMsg: the editor was closed.
type editedMsg struct {
	file string
	text string
	err  error
}

var errNoEditor = errors.New("no editor was found. Set EDITOR to the one that you use, such as nano, and start again")

// editorCommand is the user's editor with its arguments, or the simplest one
// that is installed.
func editorCommand() []string {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if words := strings.Fields(os.Getenv(name)); len(words) > 0 {
			return words
		}
	}
	known := []string{"nano", "micro", "vim", "vi"}
	if runtime.GOOS == "windows" {
		known = []string{"notepad"}
	}
	for _, name := range known {
		if _, err := exec.LookPath(name); err == nil {
			return []string{name}
		}
	}
	return nil
}

func editorName() string {
	words := editorCommand()
	if words == nil {
		return "an editor"
	}
	return filepath.Base(words[0])
}

// edit opens a file in the editor, which has the terminal to itself until it
// is closed.
func edit(file string) tea.Cmd {
	words := editorCommand()
	if words == nil {
		return func() tea.Msg { return editedMsg{file: file, err: errNoEditor} }
	}
	cmd := exec.Command(words[0], append(words[1:], file)...) //nolint:gosec,noctx // the user's own editor, which the user ends
	// The terminal itself: given the program's own reader and writer it would
	// have pipes to them, and no editor can work with these.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return tea.ExecProcess(cmd, func(err error) tea.Msg {
		if err != nil {
			return editedMsg{file: file, err: errors.New("the editor " + words[0] + " failed: " + err.Error())}
		}
		text, err := os.ReadFile(filepath.Clean(file))
		return editedMsg{file: file, text: string(text), err: err}
	})
}

// draftFile keeps a text where an editor finds it, readable by nobody else.
func draftFile(text string) (string, error) {
	f, err := os.CreateTemp("", "tenantry-*.json")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	return f.Name(), errors.Join(err, f.Close())
}
