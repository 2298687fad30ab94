package browser

import (
	"fmt"
	"sync/atomic"
	"syscall/js"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// The codes that are not sent (RFC 6455, section 7.4.1), or mean something here.
const (
	codeNormal   = 1000
	codeNoStatus = 1005
	codeAbnormal = 1006
	codePolicy   = 1008
	codeTooBig   = 1009
)

// listeners counts the functions that JavaScript can call. A table of package syscall/js
// holds each of them until it is released.
//
//nolint:gochecknoglobals // for the test that none is left
var listeners atomic.Int64

func listener(f func(event js.Value)) js.Func {
	listeners.Add(1)
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		f(args[0])
		return nil
	})
}

func release(f js.Func) {
	listeners.Add(-1)
	f.Release()
}

// newWebSocket makes a WebSocket object, which begins to connect.
func newWebSocket(url string, subprotocols []string) (object js.Value, err error) {
	class := js.Global().Get("WebSocket")
	if class.Type() != js.TypeFunction {
		return object, ErrNoWebSocket
	}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case js.Error:
			err = fmt.Errorf("%w (%s)", ErrRefused, p.Get("name").String())
		default:
			panic(p)
		}
	}()
	list := make([]any, len(subprotocols))
	for i, name := range subprotocols {
		list[i] = name
	}
	object = class.New(url, list)
	object.Set("binaryType", "arraybuffer")
	return object, nil
}

// listen listens to the events of the object. The callbacks return soon, and do not wait
// for anything: until they return, the event loop stands still.
func (c *Conn) listen() {
	c.events = listener(func(event js.Value) {
		switch event.Get("type").String() {
		case "open":
			c.tellOpened(nil)
		// It tells nothing, and a close follows, save for some versions of Node.js.
		case "error":
			c.tellOpened(ErrNotOpened)
		case "close":
			c.tellOpened(ErrNotOpened)
			c.closeEvent(event)
		}
	})
	c.data = listener(func(event js.Value) { c.messageEvent(event.Get("data")) })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listening = true
	c.object.Set("onopen", c.events)
	c.object.Set("onerror", c.events)
	c.object.Set("onclose", c.events)
	c.object.Set("onmessage", c.data)
}

// tellOpened tells Dial the outcome, if it still waits.
func (c *Conn) tellOpened(err error) {
	select {
	case c.opened <- err:
	default:
	}
}

// drop ends the use of the object: it is told to close, and its events are not listened
// to any more; mu is held.
func (c *Conn) drop() {
	if !c.listening {
		return
	}
	c.listening = false
	for _, name := range [...]string{"onopen", "onerror", "onclose", "onmessage"} {
		c.object.Set(name, js.Null())
	}
	release(c.events)
	release(c.data)
	c.object.Call("close") // does nothing if it is closed
}

// read returns the message in an event's data, and reports whether it is within the
// limit.
func (c *Conn) read(data js.Value) (m incoming, fits bool) {
	if data.Type() == js.TypeString {
		m.data = []byte(data.String())
		return m, int64(len(m.data)) <= c.config.ReadLimit
	}
	array := c.array.New(data)
	size := array.Length()
	if int64(size) > c.config.ReadLimit {
		return m, false
	}
	m.binary, m.data = true, make([]byte, size)
	js.CopyBytesToGo(m.data, array)
	return m, true
}

// messageEvent takes a message.
func (c *Conn) messageEvent(data js.Value) {
	m, fits := c.read(data)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.listening:
	case !fits:
		c.fail(&transport.End{Code: codeTooBig, Reason: "a message is too big", Err: transport.ErrTooBig})
	case !c.in.put(m, c.config.InboxLimit):
		c.fail(&transport.End{Code: codePolicy, Reason: "too much waits to be delivered", Err: transport.ErrInboxFull})
	}
}

// closeEvent takes the end. A code that no close frame had is told as 1005 or 1006, as
// elsewhere.
func (c *Conn) closeEvent(event js.Value) {
	end := &transport.End{
		Code:   uint16(event.Get("code").Int()), //nolint:gosec // it has no more than 16 bits
		Reason: event.Get("reason").String(),
	}
	if end.Code == codeAbnormal {
		end.Err = ErrLost
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listening {
		c.arrived(c.agreed(end))
	}
}
