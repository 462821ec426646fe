package tui

import (
	"bytes"
	"errors"
	"image/color"
	"io"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"
)

// colours are those that the terminal has, by its environment.
func colours() termenv.Profile { return termenv.NewOutput(os.Stdout).EnvColorProfile() }

// darkUntilAsked is whether the background is taken for dark before the
// terminal says so: by COLORFGBG, "15;0", which some terminals set, and else
// because most are.
func darkUntilAsked(getenv func(string) string) bool {
	words := strings.Split(getenv("COLORFGBG"), ";")
	n, err := strconv.Atoi(words[len(words)-1])
	return err != nil || len(words) < 2 || dark(termenv.ConvertToRGB(termenv.ANSIColor(n)))
}

func dark(c color.Color) bool {
	r, g, b, _ := c.RGBA()
	return (299*r+587*g+114*b)/1000 < 1<<15
}

// tellsBackground reports whether the terminal can be asked for its background.
// Screen can be on several terminals at once, a console is always dark, and on
// Windows an answer would not come as what is typed does.
func tellsBackground(getenv func(string) string) bool {
	term := getenv("TERM")
	switch {
	case runtime.GOOS == "windows", term == "", term == "dumb", term == "linux":
		return false
	case strings.HasPrefix(term, "screen"):
		return getenv("TMUX") != ""
	}
	return true
}

// askBackground is what asks for it. It is asked while the program runs, and
// nothing waits for the answer, for there are terminals that give none.
const askBackground = "\x1b]11;?\x1b\\"

// backgroundMsg is the terminal's answer.
type backgroundMsg struct{ dark bool }

var (
	backgroundAnswer = regexp.MustCompile(`\x1b\]11;(rgba?:[0-9a-fA-F/]+)(?:\x07|\x1b\\)`)
	answerBegun      = regexp.MustCompile(`\x1b\](?:1(?:1(?:;[rgba:0-9a-fA-F/]{0,40}\x1b?)?)?)?$`)
)

// keyboard is the terminal's input without the answer about its background,
// whenever that comes: it would be read as keys.
type keyboard struct {
	*os.File
	answered func(tea.Msg) // nil once it was
	begun    []byte        // of the answer
}

// errNoTerminal: the window was closed, or the connection to it has ended, and
// no signal said so, as where the program has no controlling terminal.
var errNoTerminal = errors.New("the terminal is gone")

// Read is of io.Reader. It may give nothing.
func (k *keyboard) Read(p []byte) (int, error) {
	if k.answered == nil || len(p) <= len(k.begun) {
		n, err := k.File.Read(p)
		return n, hungUp(err)
	}
	held := copy(p, k.begun)
	k.begun = nil
	n, err := k.File.Read(p[held:])
	return k.sift(p[:held+n]), hungUp(err)
}

// hungUp makes the end of what is typed an error. A terminal has none while it is
// there, and Bubble Tea would go on without anybody before it.
func hungUp(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.EIO) {
		return errNoTerminal
	}
	return err
}

// sift takes the answer out of b and gives how much is left. What may be the
// beginning of it is kept until more has come.
func (k *keyboard) sift(b []byte) int {
	if at := backgroundAnswer.FindSubmatchIndex(b); at != nil {
		if c := ansi.XParseColor(string(b[at[2]:at[3]])); c != nil {
			k.answered(backgroundMsg{dark(c)})
		}
		k.answered = nil
		return at[0] + copy(b[at[0]:], b[at[1]:])
	}
	if at := answerBegun.FindIndex(b); at != nil {
		k.begun = bytes.Clone(b[at[0]:])
		return at[0]
	}
	return len(b)
}

// terminalFile writes each piece whole: what is drawn and what is put on the
// clipboard come from different goroutines.
type terminalFile struct {
	*os.File
	mu sync.Mutex
}

// Write is of io.Writer.
func (t *terminalFile) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.File.Write(p)
}

// WriteString is of io.StringWriter.
func (t *terminalFile) WriteString(s string) (int, error) { return t.Write([]byte(s)) }
