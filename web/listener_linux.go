package web

import (
	"net"
	"os"
	"syscall"
)

// acceptWaiting takes the connections out of a listener's queue. The kernel
// resets those that are in it when the listener is closed, and their clients,
// who have sent a request, would see it fail. The listener is shut down within
// the same microsecond, so that nobody comes after.
func acceptWaiting(ln net.Listener) []net.Conn {
	sc, ok := ln.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	var waiting []int
	_ = raw.Control(func(fd uintptr) {
		for {
			conn, _, err := syscall.Accept4(int(fd), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
			if err == syscall.EINTR || err == syscall.ECONNABORTED {
				continue
			}
			if err != nil {
				break
			}
			waiting = append(waiting, conn)
		}
		_ = syscall.Shutdown(int(fd), syscall.SHUT_RD)
	})
	conns := make([]net.Conn, 0, len(waiting))
	for _, fd := range waiting {
		file := os.NewFile(uintptr(fd), "")
		conn, err := net.FileConn(file) // a duplicate
		_ = file.Close()
		if err == nil {
			conns = append(conns, conn)
		}
	}
	return conns
}
