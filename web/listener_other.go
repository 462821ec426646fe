//go:build !linux

package web

import "net"

// acceptWaiting is for Linux alone; elsewhere the accepting goroutine has
// taken all but the very last by the time the listener closes.
func acceptWaiting(net.Listener) []net.Conn { return nil }
