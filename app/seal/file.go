package seal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// FileName is the seal key's file in the data folder.
const FileName = "seal.key"

// maxFile is far more than a key with an editor's line ends needs, and little
// enough to read whatever lies there.
const maxFile = 1024

// Load gives the seal key: the one of the configuration (32 bytes in base64)
// when there is one, else that of the file seal.key in the data folder, which
// is made, readable by its owner alone, when there is none. The folder must
// exist. Several processes may call it at once; they get the same key.
//
// A file that others can read, or that does not hold a key, is an error that
// says what to do; it is never replaced, since what it sealed would be lost.
func Load(dataDir, fromConfig string) (Key, error) {
	if fromConfig != "" {
		k, err := ParseKey(fromConfig)
		if err != nil {
			return Key{}, fmt.Errorf("seal_key: %w", err)
		}
		return k, nil
	}
	path := filepath.Join(dataDir, FileName)
	k, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeFile(dataDir, path); err != nil {
			return Key{}, fmt.Errorf("seal key: make %s: %w", path, err)
		}
		k, err = readFile(path)
	}
	if err != nil {
		return Key{}, fmt.Errorf("seal key: %w", err)
	}
	return k, nil
}

func readFile(path string) (Key, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return Key{}, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return Key{}, err
	}
	if !info.Mode().IsRegular() {
		return Key{}, fmt.Errorf("%s is not a file. Move it away; if it is the only copy of the key, put the key itself there", path)
	}
	// Windows keeps no such bits: there the folder's access list protects it.
	if open := info.Mode().Perm() & 0o077; open != 0 && runtime.GOOS != "windows" {
		return Key{}, fmt.Errorf("%s can be used by others than its owner (mode %04o). Close it with `chmod 600 %s`, "+
			"and if somebody may have read it, treat the secrets in the registry as known", path, info.Mode().Perm(), path)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return Key{}, err
	}
	k, err := ParseKey(string(raw))
	if err != nil {
		return Key{}, fmt.Errorf("%s is damaged: %w. Put it back from a backup: without it the secrets in the registry "+
			"cannot be read", path, err)
	}
	return k, nil
}

// makeFile puts a new key at path, whole or not at all, unless one is there.
func makeFile(dir, path string) error {
	var k Key
	_, _ = rand.Read(k[:])
	temp, err := os.CreateTemp(dir, FileName+".new-*") // O_EXCL, mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	if _, err := temp.WriteString(k.text() + "\n"); err != nil {
		_ = temp.Close()
		return err
	}
	if err := temp.Sync(); err != nil {
		_ = temp.Close()
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	if err := publish(temp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// publish gives the finished file its name. A link, unlike a rename, fails
// when another process was first, whose key then holds.
func publish(temp, path string) error {
	err := os.Link(temp, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	// A file system without hard links. Nothing there is atomic and exclusive at
	// once; the lock on the data folder keeps others out in practice.
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	return os.Rename(temp, path)
}

// syncDir makes the new name durable. Windows cannot open a folder for that
// and writes names through its journal.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}
