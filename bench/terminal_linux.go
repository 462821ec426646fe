package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a program in a terminal of its own, of which this program is the
// other end.
type terminal struct {
	cmd  *exec.Cmd
	ours *os.File

	mu    sync.Mutex
	drawn bytes.Buffer // since it was last looked at
	last  time.Time    // when something was drawn last
	more  chan struct{}
}

// openTerminal starts the command in a terminal of 100 by 30.
func (b *bench) openTerminal(cmd *exec.Cmd) (*terminal, error) {
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	fd := int(ours.Fd())
	number, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err = errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0),
		unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100})); err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	theirs, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	defer func() { _ = theirs.Close() }()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	t := &terminal{cmd: cmd, ours: ours, more: make(chan struct{}, 1)}
	if err := b.cores.start(cmd); err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	go t.read()
	return t, nil
}

// read keeps what is drawn, and answers what a terminal is asked: the colour of
// its background, and where the cursor is.
func (t *terminal) read() {
	piece := make([]byte, 64<<10)
	for {
		n, err := t.ours.Read(piece)
		if err != nil {
			return
		}
		if bytes.Contains(piece[:n], []byte("\x1b]11;?")) {
			_, _ = t.ours.WriteString("\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[1;1R")
		}
		t.mu.Lock()
		t.drawn.Write(piece[:n])
		t.last = time.Now()
		t.mu.Unlock()
		select {
		case t.more <- struct{}{}:
		default:
		}
	}
}

const terminalPatience = 30 * time.Second

// until waits until a text was drawn, and says when; "" is anything at all.
func (t *terminal) until(text string) (time.Time, error) {
	patience := time.After(terminalPatience)
	for {
		t.mu.Lock()
		found, at := t.drawn.Len() > 0 && bytes.Contains(t.drawn.Bytes(), []byte(text)), t.last
		t.mu.Unlock()
		if found {
			return at, nil
		}
		select {
		case <-t.more:
		case <-patience:
			return at, fmt.Errorf("%q was never drawn", text)
		}
	}
}

// press forgets what was drawn, presses keys, and gives how long it took until
// something was drawn.
func (t *terminal) press(keys string) (time.Duration, error) {
	t.mu.Lock()
	t.drawn.Reset()
	t.mu.Unlock()
	begun := time.Now()
	if _, err := t.ours.WriteString(keys); err != nil {
		return 0, err
	}
	at, err := t.until("")
	return at.Sub(begun), err
}

// calm waits until nothing was drawn for a while.
func (t *terminal) calm() {
	for {
		t.mu.Lock()
		quiet := time.Since(t.last)
		t.mu.Unlock()
		if quiet > 40*time.Millisecond {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// close leaves the program.
func (t *terminal) close() error {
	_, err := t.ours.WriteString("\x03")
	return errors.Join(err, t.cmd.Wait(), t.ours.Close())
}
