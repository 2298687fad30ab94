//go:build !js

package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// peer is the server that the tests in JavaScript environments talk to. The path of the
// URL chooses its behaviour on a connection. A socket may have a name, by which its end
// can be asked for.
type peer struct {
	handlers map[string]func(s *wsource.Socket)
	ctx      context.Context
	stop     context.CancelFunc

	mu    sync.Mutex
	ends  map[string]chan string // the ends of the sockets, by name
	count map[string]int         // the sockets of that name
}

func newPeer() *peer {
	p := &peer{ends: make(map[string]chan string), count: make(map[string]int)}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.handlers = map[string]func(s *wsource.Socket){
		"/echo": p.echo, "/upper": p.upper, "/sizes": p.sizes, "/closes": p.closes, "/cuts": p.cuts, "/sends": p.sends,
		"/restarts": p.restarts, "/ends": p.tellsEnd, "/hears": p.hears,
	}
	return p
}

// ServeHTTP accepts a socket, or refuses it.
func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler := p.handlers[r.URL.Path]
	switch {
	case r.URL.Path == "/stalls":
		<-r.Context().Done()
		return
	case handler == nil:
		http.Error(w, "not here", http.StatusForbidden)
		return
	}
	s, err := wsource.Accept(w, r, &wsource.AcceptOptions{
		ReadLimit: 32 << 20, Subprotocols: []string{"second"}, Compression: wsource.CompressMessages,
	})
	if err != nil {
		return
	}
	end := p.end(r.URL.Query().Get("name"))
	s.Ended().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.CloseError]{
		OnNext: func(ce *wsource.CloseError) {
			select {
			case end <- fmt.Sprintf("%d %s", ce.Code, ce.Reason):
			default: // nobody has asked for the earlier one
			}
		},
	})
	go handler(s)
}

// end returns the channel that holds the end of the socket of that name.
func (p *peer) end(name string) chan string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ends[name] == nil {
		p.ends[name] = make(chan string, 1)
	}
	return p.ends[name]
}

// query returns a value of the socket's URL.
func query(s *wsource.Socket, key string) string { return s.Request().URL.Query().Get(key) }

// number is query for numbers.
func number(s *wsource.Socket, key string) int {
	n, _ := strconv.Atoi(query(s, key))
	return n
}

// first waits for the first message.
func (p *peer) first(s *wsource.Socket) {
	_, _ = observable.FirstValue(p.ctx, s)
}

func (p *peer) echo(s *wsource.Socket) { s.Subscribe(p.ctx, s) }

// upper answers in capital letters.
func (p *peer) upper(s *wsource.Socket) {
	_ = observable.ForEach(p.ctx, s, func(m wsource.Message) { s.Next(wsource.TextMessage(strings.ToUpper(m.String()))) })
}

// sizes answers with the size of each message.
func (p *peer) sizes(s *wsource.Socket) {
	_ = observable.ForEach(p.ctx, s, func(m wsource.Message) { s.Next(wsource.TextMessage(strconv.Itoa(len(m.Data)))) })
}

// closes closes with a code and a reason when the first message has come.
func (p *peer) closes(s *wsource.Socket) {
	p.first(s)
	_ = s.Close(wsource.StatusCode(number(s, "code")), query(s, "reason"))
}

// cuts breaks the connection off when the first message has come.
func (p *peer) cuts(s *wsource.Socket) {
	p.first(s)
	s.CloseNow()
}

// sends sends so many messages of that size, whose first byte counts, and may close after
// them.
func (p *peer) sends(s *wsource.Socket) {
	for i := range number(s, "count") {
		data := make([]byte, number(s, "size"))
		data[0] = byte(i)
		s.Next(wsource.BinaryMessage(data))
	}
	if code := number(s, "code"); code != 0 {
		_ = s.Close(wsource.StatusCode(code), "")
		return
	}
	p.hears(s)
}

// restarts echoes one message on the first connection of the name and closes it, and
// echoes all on later ones.
func (p *peer) restarts(s *wsource.Socket) {
	p.mu.Lock()
	p.count[query(s, "name")]++
	n := p.count[query(s, "name")]
	p.mu.Unlock()
	if n > 1 {
		p.echo(s)
		return
	}
	m, _ := observable.FirstValue(p.ctx, s)
	s.Next(m)
	_ = s.Close(wsource.StatusServiceRestart, "")
}

// hears reads messages, and drops them.
func (p *peer) hears(s *wsource.Socket) {
	_ = observable.ForEach(p.ctx, s, func(wsource.Message) {})
}

// tellsEnd tells how the socket of that name has ended.
func (p *peer) tellsEnd(s *wsource.Socket) {
	select {
	case text := <-p.end(query(s, "of")):
		s.Next(wsource.TextMessage(text))
	case <-p.ctx.Done():
	}
	s.Complete()
}
