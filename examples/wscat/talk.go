package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

const (
	maxMessage  = 64 << 20         // bytes of a message that arrives
	maxLine     = 16 << 20         // bytes of a line that is sent
	maxChunk    = 64 << 10         // bytes of a binary message that is sent
	goodbyeTime = 2 * time.Second  // for the peer to answer a close frame
	connectTime = 30 * time.Second // for the handshake
)

// talk connects, sends the input, prints the messages that arrive, and returns the way it
// ended.
func talk(ctx context.Context, o options, t terminal) error {
	socket, err := wsource.Dial(ctx, o.url, &wsource.DialOptions{
		Header: http.Header(o.header), Subprotocols: o.subprotocols, Compression: wsource.CompressMessages,
		ReadLimit: maxMessage, CloseTimeout: goodbyeTime, HandshakeTimeout: connectTime,
	})
	if _, wrong := errors.AsType[*observable.ArgumentError](err); wrong {
		// A wrong URL, header or subprotocol.
		return &program.ExitError{Status: exitUsage, Err: err}
	}
	if err != nil {
		return ending(ctx, &program.ExitError{Status: exitConnect, Err: err})
	}
	defer socket.CloseNow()
	if name := socket.Subprotocol(); name != "" {
		fmt.Fprintln(t.notes, "subprotocol:", name)
	}

	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	sending := observable.Defer(func() observable.Observable[wsource.Message] {
		go func() { // until the input ends: only that wakes a read
			if err := send(ctx, socket, o, t.in); err != nil {
				stop(&program.ExitError{Status: exitFile, Err: fmt.Errorf("standard input: %w", err)})
			} else if !o.stays {
				socket.Complete() // behind the messages sent
			}
		}()
		return observable.Empty[wsource.Message]()
	})
	// Sending begins after the subscription: a socket that closes delivers to subscribers
	// only.
	messages := operators.Merge[wsource.Message](socket, sending)
	arrived := 0
	if o.count > 0 {
		messages = operators.Take(messages, o.count)
	}
	err = observable.TryForEach(ctx, messages, func(m wsource.Message) error {
		arrived++
		if _, err := t.out.Write(t.shown(m, o)); err != nil {
			return &program.ExitError{Status: exitFile, Err: fmt.Errorf("standard output: %w", err)}
		}
		return nil
	})
	_ = socket.Close(wsource.StatusNormalClosure, "") // or it has ended
	<-socket.Done()
	switch {
	case ctx.Err() != nil:
		return ending(ctx, err)
	case wsource.CloseStatus(err) == wsource.StatusNoStatusReceived:
		err = nil // it was closed without a code
	}
	closed, abnormal := errors.AsType[*wsource.CloseError](err)
	switch {
	case abnormal:
		return &program.ExitError{Status: exitAbnormal, Err: closed}
	case err == nil && arrived < o.count:
		return &program.ExitError{
			Status: exitAbnormal, Err: fmt.Errorf("the server closed the connection after %d of %d messages", arrived, o.count),
		}
	}
	return err
}

// ending returns the error for the end of ctx, or err if ctx has not ended. Ctrl-C and
// -duration are a normal end.
func ending(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	if timeout, ok := errors.AsType[timeoutError](cause); ok {
		return &program.ExitError{Status: exitTimeout, Err: timeout}
	}
	if exit, ok := errors.AsType[*program.ExitError](cause); ok {
		return exit
	}
	return nil
}

// send sends the input: each line as a text message, or each read as a binary message. It
// returns errors of the input only, since the stream of the connection has those of the
// connection.
func send(ctx context.Context, socket *wsource.Socket, o options, in io.Reader) error {
	if o.binary {
		for chunk := make([]byte, maxChunk); ; {
			n, err := in.Read(chunk)
			if n > 0 && socket.Send(ctx, wsource.BinaryMessage(bytes.Clone(chunk[:n]))) != nil {
				return nil //nolint:nilerr // see above
			}
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return err
			}
		}
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	count := 1
	for ; lines.Scan(); count++ {
		if !utf8.Valid(lines.Bytes()) {
			return fmt.Errorf("line %d is not UTF-8, as a text message has to be (-binary sends any bytes)", count)
		}
		if socket.Send(ctx, wsource.TextMessage(lines.Text())) != nil {
			return nil //nolint:nilerr // see above
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d is over %d MiB", count, maxLine>>20)
	}
	return lines.Err()
}

// shown returns the text that is printed of a message.
func (t terminal) shown(m wsource.Message, o options) []byte {
	if o.binary {
		return m.Data
	}
	if m.Type == wsource.Binary {
		return fmt.Appendf(nil, "binary %x\n", m.Data)
	}
	text := m.Data
	if o.pretty {
		var indented bytes.Buffer
		if json.Indent(&indented, text, "", "  ") == nil {
			text = indented.Bytes()
		}
	}
	if t.screen {
		text = []byte(strings.Map(harmless, string(text)))
	}
	return append(bytes.Clone(text), '\n')
}

// harmless replaces characters that would command a terminal.
func harmless(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\t' {
		return unicode.ReplacementChar
	}
	return r
}
