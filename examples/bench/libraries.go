package main

import (
	"context"
	"fmt"
	"net"
	"net/http"

	coder "github.com/coder/websocket"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/gorilla/websocket"
	"github.com/lxzan/gws"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// end is one end of a connection, as a library has it.
type end interface {
	send(p []byte)
	close()
}

// handler takes a message that an end received; it may answer on it. p is not used after,
// so that a library may lend it.
type handler func(e end, p []byte)

// library opens connections over loopback TCP with a WebSocket library. All send binary
// messages, without compression, and may receive messages of up to 4 MiB.
type library struct {
	name string
	// serve has each message that the server's ends receive handled, and each end
	// announced.
	serve func(opened func(end), received handler) http.Handler
	// dial opens the client's end.
	dial func(url string, received handler) (end, error)
}

const readLimit = 4 << 20

var libraries = []library{rxsocketLibrary, coderLibrary, gorillaLibrary, gwsLibrary, gobwasLibrary}

// pair is a connection between a server and a client of one library.
type pair struct {
	server, client end
	stop           func()
}

// connect opens a connection with the library.
func (l library) connect(atServer, atClient handler) (*pair, error) {
	opened := make(chan end, 1)
	address, stop, err := listen(l.serve(func(e end) { opened <- e }, atServer))
	if err != nil {
		return nil, err
	}
	client, err := l.dial("ws://"+address, atClient)
	if err != nil {
		stop()
		return nil, fmt.Errorf("%s: %w", l.name, err)
	}
	server := <-opened
	return &pair{server, client, func() {
		client.close()
		server.close()
		stop()
	}}, nil
}

// listen serves on a loopback port of its own.
func listen(h http.Handler) (address string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: h}
	go server.Serve(listener)
	return listener.Addr().String(), func() { server.Close() }, nil
}

// --- rxsocket

type rxEnd struct{ *wsource.Socket }

func (e rxEnd) send(p []byte) { e.Next(wsource.BinaryMessage(p)) }
func (e rxEnd) close()        { e.CloseNow() }

func (e rxEnd) receive(received handler) {
	e.Borrowed().Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
		OnNext: func(m wsource.Message) {
			if m.Borrowed() {
				received(rxAnswers{e}, m.Data)
			} else { // it is large
				received(e, m.Data)
			}
		},
		OnError: func(error) {}, // the end of a run, as an error
	})
}

// rxAnswers is an end on which a handler answers with messages that it does not own.
type rxAnswers struct{ rxEnd }

func (e rxAnswers) send(p []byte) { e.Next(wsource.BorrowedMessage(wsource.Binary, p)) }

// receiveOwned has messages handled that the handler owns.
func (e rxEnd) receiveOwned(received handler) {
	e.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
		OnNext:  func(m wsource.Message) { received(e, m.Data) },
		OnError: func(error) {}, // the end of a run, as an error
	})
}

var (
	rxsocketLibrary = rxsocketOf("rxsocket", rxEnd.receive)
	rxsocketOwned   = rxsocketOf("rxsocket, owned messages", rxEnd.receiveOwned)
)

func rxsocketOf(name string, receive func(rxEnd, handler)) library {
	return library{
		name: name,
		serve: func(opened func(end), received handler) http.Handler {
			server := &wsource.Server{Options: wsource.AcceptOptions{ReadLimit: readLimit}, MaxConnections: 1 << 20}
			server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
				OnNext: func(s *wsource.Socket) {
					receive(rxEnd{s}, received)
					opened(rxEnd{s})
				},
			})
			return server
		},
		dial: func(url string, received handler) (end, error) {
			s, err := wsource.Dial(context.Background(), url, &wsource.DialOptions{ReadLimit: readLimit})
			if err != nil {
				return nil, err
			}
			receive(rxEnd{s}, received)
			return rxEnd{s}, nil
		},
	}
}

// --- coder/websocket

type coderEnd struct{ *coder.Conn }

func (e coderEnd) send(p []byte) { _ = e.Write(context.Background(), coder.MessageBinary, p) }
func (e coderEnd) close()        { _ = e.CloseNow() }

func (e coderEnd) receive(received handler) {
	defer e.close()
	e.SetReadLimit(readLimit)
	for {
		_, p, err := e.Read(context.Background())
		if err != nil {
			return
		}
		received(e, p)
	}
}

var coderLibrary = library{
	name: "coder/websocket",
	serve: func(opened func(end), received handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c, err := coder.Accept(w, r, nil); err == nil {
				opened(coderEnd{c})
				coderEnd{c}.receive(received)
			}
		})
	},
	dial: func(url string, received handler) (end, error) {
		c, _, err := coder.Dial(context.Background(), url, nil)
		if err != nil {
			return nil, err
		}
		go coderEnd{c}.receive(received)
		return coderEnd{c}, nil
	},
}

// --- gorilla/websocket

type gorillaEnd struct{ *websocket.Conn }

func (e gorillaEnd) send(p []byte) { _ = e.WriteMessage(websocket.BinaryMessage, p) }
func (e gorillaEnd) close()        { _ = e.Close() }

func (e gorillaEnd) receive(received handler) {
	defer e.close()
	e.SetReadLimit(readLimit)
	for {
		_, p, err := e.ReadMessage()
		if err != nil {
			return
		}
		received(e, p)
	}
}

var gorillaLibrary = library{
	name: "gorilla/websocket",
	serve: func(opened func(end), received handler) http.Handler {
		upgrader := websocket.Upgrader{}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c, err := upgrader.Upgrade(w, r, nil); err == nil {
				opened(gorillaEnd{c})
				gorillaEnd{c}.receive(received)
			}
		})
	},
	dial: func(url string, received handler) (end, error) {
		c, _, err := websocket.DefaultDialer.Dial(url, nil)
		if err != nil {
			return nil, err
		}
		go gorillaEnd{c}.receive(received)
		return gorillaEnd{c}, nil
	},
}

// --- lxzan/gws

type gwsEnd struct{ *gws.Conn }

func (e gwsEnd) send(p []byte) { _ = e.WriteMessage(gws.OpcodeBinary, p) }
func (e gwsEnd) close()        { _ = e.NetConn().Close() }

type gwsEvents struct {
	gws.BuiltinEventHandler
	received handler
}

func (h *gwsEvents) OnMessage(c *gws.Conn, m *gws.Message) {
	h.received(gwsEnd{c}, m.Bytes())
	_ = m.Close()
}

var gwsLibrary = library{
	name: "lxzan/gws",
	serve: func(opened func(end), received handler) http.Handler {
		upgrader := gws.NewUpgrader(&gwsEvents{received: received}, &gws.ServerOption{ReadMaxPayloadSize: readLimit})
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c, err := upgrader.Upgrade(w, r); err == nil {
				opened(gwsEnd{c})
				go c.ReadLoop()
			}
		})
	},
	dial: func(url string, received handler) (end, error) {
		c, _, err := gws.NewClient(&gwsEvents{received: received}, &gws.ClientOption{Addr: url, ReadMaxPayloadSize: readLimit})
		if err != nil {
			return nil, err
		}
		go c.ReadLoop()
		return gwsEnd{c}, nil
	},
}

// --- gobwas/ws

type gobwasEnd struct {
	net.Conn
	state ws.State
}

func (e gobwasEnd) send(p []byte) { _ = wsutil.WriteMessage(e.Conn, e.state, ws.OpBinary, p) }
func (e gobwasEnd) close()        { _ = e.Close() }

func (e gobwasEnd) receive(received handler) {
	defer e.close()
	for {
		p, _, err := wsutil.ReadData(e.Conn, e.state)
		if err != nil {
			return
		}
		received(e, p)
	}
}

var gobwasLibrary = library{
	name: "gobwas/ws",
	serve: func(opened func(end), received handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c, _, _, err := ws.UpgradeHTTP(r, w); err == nil {
				e := gobwasEnd{c, ws.StateServerSide}
				opened(e)
				go e.receive(received)
			}
		})
	},
	dial: func(url string, received handler) (end, error) {
		c, _, _, err := ws.Dial(context.Background(), url)
		if err != nil {
			return nil, err
		}
		e := gobwasEnd{c, ws.StateClientSide}
		go e.receive(received)
		return e, nil
	},
}
