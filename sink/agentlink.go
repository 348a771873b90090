package sink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/liftemf/liftemf/internal/lines"
)

// stuckFor is how long a connection over which nothing moves is kept. Its buffers are full
// of documents that an agent which wakes up will read; each new one would swallow more.
const stuckFor = time.Minute

// agentLink is a connection to the agent that is made anew when it is needed.
type agentLink struct {
	network, address string
	dial             dialFunc
	timeout          time.Duration

	conn     net.Conn
	out      *lines.Writer // over conn
	moved    time.Time     // when conn last took something
	connects uint64
	unasked  [512]byte // what the agent says: it should not

	backoff *backoff.ExponentialBackOff
	next    time.Time // no attempt before
	last    error     // of the last attempt
}

func newAgentLink(network, address string, dial dialFunc, timeout time.Duration) *agentLink {
	return &agentLink{
		network: network, address: address, dial: dial, timeout: timeout,
		backoff: &backoff.ExponentialBackOff{
			InitialInterval:     100 * time.Millisecond,
			RandomizationFactor: 0.5,
			Multiplier:          2,
			MaxInterval:         5 * time.Second,
		},
	}
}

func (l *agentLink) String() string { return l.network + "://" + l.address }

func (l *agentLink) datagrams() bool { return l.network == "udp" || l.network == "unixgram" }

// send hands lines to the system. It returns which were too large, and which are to be
// sent again.
func (l *agentLink) send(ctx context.Context, list [][]byte) (refused, unsent []int, err error) {
	if len(list) == 0 {
		return nil, nil, nil
	}
	numbers := func(at []int) []int { return at } // of lines, from their places in rest
	for rest := list; ; rest = pick(list, unsent) {
		kept, err := l.connect(ctx)
		if err != nil {
			return refused, numbers(upTo(len(rest))), err
		}
		tooLarge, left, err := l.transmit(ctx, rest)
		refused = append(refused, numbers(tooLarge)...)
		unsent = numbers(left)
		hung := errors.Is(err, os.ErrDeadlineExceeded)
		switch {
		case err == nil, hung && time.Since(l.moved) < stuckFor, len(unsent) == 0 && l.datagrams():
		default:
			_ = l.hangUp()
		}
		if len(unsent) < len(rest) {
			l.backoff.Reset()
		}
		if len(unsent) == 0 {
			if !l.datagrams() {
				err = nil // only the last newline is missing: the end of the connection is as good
			}
			return refused, nil, err
		}
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		if !kept || hung || l.network == "udp" || ctx.Err() != nil {
			l.rest(ctx, err)
			return refused, unsent, err
		}
		// As a connection pool does: the agent may be back.
		at := unsent
		numbers = func(in []int) []int { return pick(at, in) }
	}
}

// connect makes sure that there is a connection which the agent has not closed. It reports
// whether it was there before.
func (l *agentLink) connect(ctx context.Context) (kept bool, err error) {
	if err := context.Cause(ctx); err != nil {
		return false, err
	}
	if wait := time.Until(l.next); wait > 0 {
		return false, fmt.Errorf("the next attempt is in %v, the last one failed: %w", wait.Round(time.Millisecond), l.last)
	}
	if l.conn != nil {
		err := l.alive()
		if err == nil {
			return true, nil
		}
		_ = l.hangUp()
		if l.network == "udp" { // a new socket would know as little as the old one did
			l.rest(ctx, err)
			return false, err
		}
	}
	dialing, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	conn, err := l.dial(dialing, l.network, l.address)
	if err != nil {
		l.rest(ctx, err)
		return false, err
	}
	l.conn, l.out, l.moved = conn, &lines.Writer{W: conn}, time.Now()
	l.connects++
	return false, nil
}

// rest puts off the next attempt after a failure, unless the caller gave up.
func (l *agentLink) rest(ctx context.Context, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	l.last = err
	l.next = time.Now().Add(l.backoff.NextBackOff())
}

// transmit writes lines within the time there is.
func (l *agentLink) transmit(ctx context.Context, list [][]byte) (refused, unsent []int, err error) {
	deadline := time.Now().Add(l.timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := l.conn.SetWriteDeadline(deadline); err != nil {
		return nil, upTo(len(list)), err
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = l.conn.SetWriteDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	defer func() {
		if !stop() {
			<-interrupted // so that it does not interrupt the next one
		}
	}()
	if l.datagrams() {
		return l.transmitDatagrams(list)
	}
	unsent, err = l.out.Write(len(list), func(i int) []byte { return list[i] })
	if len(unsent) < len(list) {
		l.moved = time.Now()
	}
	return nil, unsent, err
}

// transmitDatagrams sends each line in a datagram of its own. An agent that does not listen
// shows after the fact, and on the same host at once: the last datagram was not taken then.
func (l *agentLink) transmitDatagrams(list [][]byte) (refused, unsent []int, err error) {
	var tooLarge error
	sent := 0
	for ; sent < len(list) && err == nil; sent++ {
		_, err = l.conn.Write(list[sent])
		if errors.Is(err, syscall.EMSGSIZE) {
			refused, tooLarge, err = append(refused, sent), err, nil
		}
	}
	if err != nil {
		sent-- // not this one
	} else {
		err = l.alive()
	}
	if errors.Is(err, syscall.ECONNREFUSED) && l.network == "udp" {
		for left := true; left && sent > 0; left = slices.Contains(refused, sent) { // which never left
			sent--
		}
	}
	unsent = upTo(len(list))[sent:]
	unsent = slices.DeleteFunc(unsent, func(i int) bool { return slices.Contains(refused, i) })
	return refused, unsent, errors.Join(tooLarge, err)
}

// alive returns an error if the agent has closed the connection.
func (l *agentLink) alive() error { return connAlive(l.conn, l.datagrams(), l.unasked[:]) }

func (l *agentLink) hangUp() error {
	if l.conn == nil {
		return nil
	}
	err := l.conn.Close()
	l.conn, l.out = nil, nil
	return err
}
