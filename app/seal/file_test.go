package seal_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"tenantry/app/seal"
)

func TestLoadMakesOneKeyAndKeepsIt(t *testing.T) {
	dir := t.TempDir()
	first, err := seal.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if first == (seal.Key{}) {
		t.Fatal("the key is empty")
	}
	again, err := seal.Load(dir, "")
	if err != nil || again != first {
		t.Fatalf("the second start has another key, or none: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, seal.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o", info.Mode().Perm())
	}
	other, err := seal.Load(t.TempDir(), "")
	if err != nil || other == first {
		t.Errorf("two folders share a key, or: %v", err)
	}
	assertOnlyKeyFile(t, dir)
}

func TestLoadAtOnceGivesOneKey(t *testing.T) {
	dir := t.TempDir()
	keys := make([]seal.Key, 16)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			k, err := seal.Load(dir, "")
			if err != nil {
				t.Error(err)
			}
			keys[i] = k
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k != keys[0] {
			t.Fatal("two starts at once got two keys")
		}
	}
	assertOnlyKeyFile(t, dir)
}

func assertOnlyKeyFile(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v), want the key file alone", entries, err)
	}
}

func TestLoadPrefersTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	want := key(7)
	got, err := seal.Load(dir, base64.StdEncoding.EncodeToString(want[:]))
	if err != nil || got != want {
		t.Fatalf("Load: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("a configured key still wrote %v", entries)
	}
}

func TestLoadRefusesABadConfiguredKey(t *testing.T) {
	secret := "c2hvcnQtYnV0LXNlY3JldA=="
	for _, s := range []string{secret, "not base64!", strings.Repeat("A", 43) + "=", " "} {
		_, err := seal.Load(t.TempDir(), s)
		if err == nil || !strings.HasPrefix(err.Error(), "seal_key: ") || !strings.Contains(err.Error(), "openssl rand") {
			t.Errorf("Load(%q) = %v", s, err)
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
}

func TestLoadRefusesAFileThatOthersCanRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such modes on Windows")
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o666} {
		dir := t.TempDir()
		if _, err := seal.Load(dir, ""); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, seal.FileName), mode); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.Load(dir, ""); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}

func TestLoadRefusesADamagedFileAndLeavesIt(t *testing.T) {
	for _, content := range []string{"", "\n", "AAAA", strings.Repeat("x", 5000), strings.Repeat("\x00", 45)} {
		dir := t.TempDir()
		path := filepath.Join(dir, seal.FileName)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.Load(dir, ""); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%.10q: %v", content, err)
		}
		if left, _ := os.ReadFile(path); string(left) != content {
			t.Errorf("%.10q was written over", content)
		}
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, seal.FileName), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Load(dir, ""); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a folder in its place: %v", err)
	}
}

func TestLoadTakesAFileThatAnEditorTouched(t *testing.T) {
	dir := t.TempDir()
	want := key(9)
	text := "  " + base64.StdEncoding.EncodeToString(want[:]) + "\r\n\n"
	if err := os.WriteFile(filepath.Join(dir, seal.FileName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := seal.Load(dir, ""); err != nil || got != want {
		t.Errorf("Load: %v", err)
	}
}

func TestLoadSaysWhichFolderIsMissing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "absent")
	if _, err := seal.Load(dir, ""); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("Load: %v", err)
	}
}
