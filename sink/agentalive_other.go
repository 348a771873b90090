//go:build !unix

package sink

import "net"

// connAlive returns an error if the peer has closed or reset a connection.
func connAlive(conn net.Conn, _ bool, unasked []byte) error { return waitAlive(conn, unasked) }
