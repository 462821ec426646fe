package client

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

// SocketName is the Unix socket in the data folder through which commands
// reach the server that holds it. Only the folder's owner can open it, and who
// does is the operator.
const SocketName = "tenantry.sock"

// Socket makes a client of the server that holds a data folder.
func Socket(folder string, opts Options) (*Client, error) {
	opts.Dial = func(ctx context.Context) (net.Conn, error) { return DialSocket(ctx, folder) }
	if opts.Name == "" {
		opts.Name = folder
	}
	return Trusted(opts)
}

// DialSocket connects to the server that holds a data folder.
func DialSocket(ctx context.Context, folder string) (conn net.Conn, err error) {
	err = WithSocketPath(folder, func(path string) error {
		conn, err = new(net.Dialer).DialContext(ctx, "unix", path)
		return err
	})
	return conn, err
}

// Trusted makes a client that reaches a server by opts.Dial, in a way that
// makes it the operator.
func Trusted(opts Options) (*Client, error) {
	// The host is sent and looked at by nobody.
	c, err := New("http://tenantry", opts)
	if err != nil {
		return nil, err
	}
	c.socket = true
	return c, nil
}

// maxSocketPath is the longest path that a socket's address holds everywhere,
// in bytes: 108 with a zero on Linux, 104 on the BSDs.
const maxSocketPath = 103

// WithSocketPath gives f a path of the folder's socket that is short enough
// for a socket's address. Linux has one for every folder; elsewhere a folder
// too deep is an error.
func WithSocketPath(folder string, f func(path string) error) error {
	path := filepath.Join(folder, SocketName)
	if len(path) <= maxSocketPath {
		return f(path)
	}
	if runtime.GOOS != "linux" {
		return fmt.Errorf("the path %s is too long for a Unix socket (%d bytes at most)", path, maxSocketPath)
	}
	dir, err := os.Open(filepath.Clean(folder))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	return f(fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), SocketName))
}
