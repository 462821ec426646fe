package cli

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"tenantry/app/client"
)

// folderSocket is the Unix socket in the data folder; it removes itself.
type folderSocket struct {
	*net.UnixListener
	path string
}

// Close removes the socket while the folder is still ours, then closes it.
func (s *folderSocket) Close() error {
	_ = os.Remove(s.path)
	return s.UnixListener.Close()
}

// listenSocket opens the folder's socket, for its owner alone. One that a
// killed server left behind is in nobody's way: the folder is ours.
func listenSocket(folder string) (net.Listener, error) {
	path := filepath.Join(folder, client.SocketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the socket of an earlier server: %w", err)
	}
	var listener *net.UnixListener
	err := client.WithSocketPath(folder, func(short string) error {
		var err error
		listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open the socket %s: %w", path, err)
	}
	// The short path may not lead there later.
	listener.SetUnlinkOnClose(false)
	s := &folderSocket{UnixListener: listener, path: path}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("close the socket %s to others: %w", path, err)
	}
	return s, nil
}
