package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

const (
	uiStarts = 5
	uiKeys   = 60
	// uiScrolling is how long the list is scrolled to see whether memory grows.
	uiScrolling = time.Minute
)

// measureTUI drives the terminal UI over 10,000 organizations in a terminal of
// this program's own.
func measureTUI(b *bench) (rows []row, err error) {
	m := &many{bench: b, folder: filepath.Join(b.dir, "tui")}
	if err := m.start(); err != nil {
		return nil, err
	}
	serving := true
	defer func() {
		if serving {
			err = errors.Join(err, m.stop())
		}
	}()
	if _, err := m.organization(m.ctx, "bench"); err != nil {
		return nil, err
	}
	if err := m.fill(startAt); err != nil {
		return nil, err
	}
	rows, err = b.useTUI(m.folder)
	if err != nil {
		return nil, err
	}
	serving = false
	if err := m.stop(); err != nil {
		return nil, err
	}
	alone, err := b.startTUI(m.folder)
	if err != nil {
		return nil, err
	}
	return append([]row{{Name: "first screen of the terminal UI, 10,000 organizations", Value: median(alone), Unit: "ms", AtMost: 300,
		Figures: fmt.Sprintf("%.0f to %.0f ms, on a folder that nobody serves, figures included", slices.Min(alone), slices.Max(alone))}}, rows...), nil
}

func (b *bench) openTUI(folder string) (*terminal, error) {
	cmd := exec.CommandContext(b.ctx, b.program, "tui", "--data-dir", folder) //nolint:gosec // built above
	cmd.Dir = b.dir
	cmd.Env = []string{"HOME=" + b.dir, "PATH=" + os.Getenv("PATH"), "TERM=xterm-256color", "TENANTRY_" + cheapPasswords}
	return b.openTerminal(cmd)
}

// startTUI gives the milliseconds from start to the dashboard's figures.
func (b *bench) startTUI(folder string) (took []float64, err error) {
	for range uiStarts {
		begun := time.Now()
		t, err := b.openTUI(folder)
		if err != nil {
			return nil, err
		}
		at, err := t.until("active")
		if err = errors.Join(err, t.close()); err != nil {
			return nil, err
		}
		took = append(took, millis(at.Sub(begun)))
	}
	return took, nil
}

// useTUI presses keys and scrolls for a while.
func (b *bench) useTUI(folder string) (rows []row, err error) {
	t, err := b.openTUI(folder)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	if _, err := t.until("active"); err != nil {
		return nil, err
	}
	if _, err := t.press("2"); err != nil {
		return nil, err
	}
	if _, err := t.until("company-0000"); err != nil {
		return nil, err
	}
	var took []float64
	for i := range uiKeys {
		t.calm()
		key := []string{"j", "\x1b[6~", "k", "\x1b[6~"}[i%4] // page down loads what comes
		d, err := t.press(key)
		if err != nil {
			return nil, err
		}
		took = append(took, millis(d))
	}
	rows = append(rows, row{Name: "a key press of the terminal UI, until it is drawn", Value: slices.Max(took), Unit: "ms", AtMost: 50,
		Figures: fmt.Sprintf("the slowest of %d; the median %.0f ms", uiKeys, median(took))})
	early, late, err := t.scroll()
	if err != nil || early == 0 {
		return rows, err
	}
	return append(rows, row{Name: "memory of the terminal UI after a minute of scrolling, to after ten seconds", Value: late / early, Unit: "x", AtMost: 1.2,
		Figures: fmt.Sprintf("%.0f MB, %.0f MB before", late/megabyte, early/megabyte)}), nil
}

// scroll goes up and down through all organizations, and gives the memory in
// bytes after a sixth of the time and at its end.
func (t *terminal) scroll() (early, late float64, err error) {
	pid := t.cmd.Process.Pid
	keys := []string{"\x1b[6~", "\x1b[5~"}
	for begun, n := time.Now(), 0; time.Since(begun) < uiScrolling; n++ {
		if _, err := t.press(keys[n/400%2]); err != nil {
			return 0, 0, err
		}
		if early == 0 && time.Since(begun) > uiScrolling/6 {
			early = float64(resident(pid))
		}
	}
	return early, float64(resident(pid)), nil
}
