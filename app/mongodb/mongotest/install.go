package mongotest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gofrs/flock"
)

//go:embed requirements.txt
var requirements string

// install makes sure that there is a Python environment with the pinned
// server, and gives its interpreter. It waits for another process that is
// doing the same.
func install() (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	cache := filepath.Join(root, ".cache")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	lock := flock.New(filepath.Join(cache, "mongotest.lock"))
	if err := lock.Lock(); err != nil {
		return "", err
	}
	defer func() { _ = lock.Unlock() }()

	venv := filepath.Join(cache, "mongotest")
	python := filepath.Join(venv, "bin", "python")
	if runtime.GOOS == "windows" {
		python = filepath.Join(venv, "Scripts", "python.exe")
	}
	// The list that was installed is written last, so a half-made environment is
	// never taken for a whole one.
	marker := filepath.Join(venv, "installed.txt")
	if done, err := os.ReadFile(marker); err == nil && string(done) == requirements {
		return python, nil
	}
	if err := os.RemoveAll(venv); err != nil {
		return "", err
	}
	base, err := exec.LookPath("python3")
	if err != nil {
		if base, err = exec.LookPath("python"); err != nil {
			return "", errors.New("there is no Python 3, which the server is written in")
		}
	}
	for _, command := range [][]string{
		{base, "-m", "venv", venv},
		append([]string{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"}, strings.Fields(requirements)...),
	} {
		if out, err := exec.CommandContext(context.Background(), command[0], command[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	return python, os.WriteFile(marker, []byte(requirements), 0o600)
}

// repository is the folder with go.mod, above the one that the test runs in.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("there is no go.mod above the test's folder")
		}
		dir = parent
	}
}
