package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"tenantry/app"
)

func mustHeld(t *testing.T, dir string) *HeldError {
	t.Helper()
	f, err := OpenFolder(dir, FolderOptions{})
	if err == nil {
		_ = f.Close()
		t.Fatalf("%s was taken twice", dir)
	}
	var held *HeldError
	if !errors.As(err, &held) || !errors.Is(err, app.ErrConflict) {
		t.Fatalf("the refusal is %v", err)
	}
	return held
}

func mustOpenFolder(t *testing.T, dir string) *Folder {
	t.Helper()
	f, err := OpenFolder(dir, FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAFolderIsHeldByOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	f := mustOpenFolder(t, dir)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the mode of the folder is %v: %v", info.Mode(), err)
	}
	_ = mustHeld(t, dir) // this process's own second attempt
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	for name, tc := range map[string]struct{ workingDir, dir string }{
		"by its path":                 {"", dir},
		"from another folder":         {filepath.Dir(dir), "data"},
		"from inside":                 {dir, "."},
		"through a link":              {"", link},
		"with another spelling of it": {"", filepath.Dir(dir) + "/./data/../data"},
	} {
		other := startChild(t, tc.workingDir, "hold", tc.dir)
		if got := other.says(); !strings.Contains(got, fmt.Sprintf("process %d on ", os.Getpid())) {
			t.Errorf("%s: the other process said %q", name, got)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	other := startChild(t, "", "hold", link)
	other.must("taken")
	if held := mustHeld(t, dir); !strings.Contains(held.Error(), fmt.Sprintf("process %d on ", other.Process.Pid)) {
		t.Errorf("the refusal says %q", held.Error())
	}
	// What a killed holder wrote about itself holds nobody up.
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	f = mustOpenFolder(t, dir)
	if got := holder(dir); !strings.Contains(got, fmt.Sprintf("process %d on ", os.Getpid())) {
		t.Errorf("the lock file says %q", got)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A container sees the folder through a mount of its own.
func TestAFolderIsHeldThroughMounts(t *testing.T) {
	dir := t.TempDir()
	place := mountPoint(t, "--bind", dir)
	f := mustOpenFolder(t, dir)
	defer func() { _ = f.Close() }()
	_ = mustHeld(t, place)
	other := startChildIn(t, []string{"unshare", "--mount", "--pid", "--fork"}, "", "hold", place)
	if got := other.says(); !strings.HasPrefix(got, "held by process ") {
		t.Errorf("a process in another container said %q", got)
	}
}

func TestWhatIsNoDataFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if _, err := OpenFolder(path, FolderOptions{}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("OpenFolder(%s): %v", path, err)
		}
	}
	raw, err := os.ReadFile(file)
	if err != nil || len(raw) != 0 {
		t.Errorf("the file is %q: %v", raw, err)
	}
}

func TestAFolderThatCannotBeWritten(t *testing.T) {
	t.Run("read-only file system", func(t *testing.T) {
		dir := mountPoint(t, "-t", "tmpfs", "-o", "size=1m,ro", "tmpfs")
		_, err := OpenFolder(dir, FolderOptions{})
		if err == nil || !strings.Contains(err.Error(), "read-only file system") || !strings.Contains(err.Error(), dir) {
			t.Errorf("the refusal is %v", err)
		}
	})
	t.Run("another user's", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("modes of folders are of Unix")
		}
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		if os.Getuid() == 0 {
			other := startChildAsNobody(t, "hold", dir)
			if got := other.says(); !strings.Contains(got, "may not write there") {
				t.Errorf("another user's process said %q", got)
			}
			return
		}
		if _, err := OpenFolder(dir, FolderOptions{}); err == nil || !strings.Contains(err.Error(), "may not write there") {
			t.Errorf("the refusal is %v", err)
		}
	})
}

func TestANetworkFolderIsRefusedUnlessInsistedOn(t *testing.T) {
	err := refuseNetwork("/mnt/data", "nfs", FolderOptions{})
	if err == nil {
		t.Fatal("it was taken")
	}
	for _, want := range []string{"/mnt/data", "nfs", "allow_network_filesystem"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the refusal %q does not say %s", err, want)
		}
	}
	if err := refuseNetwork("/mnt/data", "nfs", FolderOptions{AllowNetworkFilesystem: true}); err != nil {
		t.Errorf("insisted on: %v", err)
	}
	if err := refuseNetwork("/mnt/data", "", FolderOptions{}); err != nil {
		t.Errorf("a local disk: %v", err)
	}
	if kind := networkFilesystem(t.TempDir()); kind != "" {
		t.Errorf("the folder for temporary files is taken for %q", kind)
	}
}
