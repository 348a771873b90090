package sink

import (
	"errors"
	"net"
	"os"
	"time"
)

// waitAlive is connAlive for connections that cannot be asked without waiting.
func waitAlive(conn net.Conn, unasked []byte) error {
	if err := conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return err
	}
	defer func() { _ = conn.SetReadDeadline(time.Time{}) }()
	for range 8 {
		_, err := conn.Read(unasked)
		switch {
		case err == nil: // the agent says nothing; a relay might
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		default:
			return err
		}
	}
	return nil
}
