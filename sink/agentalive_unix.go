//go:build unix

package sink

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
)

// connAlive returns an error if the peer has closed or reset a connection, or refused a
// datagram, as far as the system knows. It does not wait. What the peer sent is
// read into unasked and thrown away.
func connAlive(conn net.Conn, datagrams bool, unasked []byte) error {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return waitAlive(conn, unasked)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	var state error
	err = raw.Read(func(fd uintptr) bool {
		for range 8 {
			n, err := syscall.Read(int(fd), unasked)
			switch {
			case errors.Is(err, syscall.EINTR), n > 0, n == 0 && err == nil && datagrams:
				continue
			case errors.Is(err, syscall.EAGAIN):
			case err != nil:
				state = fmt.Errorf("the agent has gone: %w", err)
			default:
				state = fmt.Errorf("the agent has closed the connection: %w", io.EOF)
			}
			return true
		}
		return true
	})
	return errors.Join(err, state)
}
