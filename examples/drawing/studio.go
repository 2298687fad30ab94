package main

import (
	"context"
	_ "embed" // for the page
	"errors"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/rxsocket/rxsocket/examples/internal/page"
	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/inspect"
)

//go:embed page.html
var html []byte

const (
	maxName = 24  // bytes
	people  = 200 // connections, of which each page has two
)

// The values of a socket for strokes, in both directions, and of one for cursors.
type (
	change  = hub.Change[string, stroke]
	request struct {
		Draw  string `json:"draw,omitempty"` // id of a stroke
		Undo  bool   `json:"undo,omitempty"`
		Clear bool   `json:"clear,omitempty"`

		stroke
	}
	move struct {
		X      int  `json:"x"`
		Y      int  `json:"y"`
		Down   bool `json:"down"` // the pen draws
		Colour int  `json:"colour"`
		Width  int  `json:"width"`
	}
)

// studio is the server: the board, and the places of the cursors.
type studio struct {
	board     board
	strokes   *hub.Hub[string, string, change]
	cursors   *hub.Hub[string, string, move]
	inspector *inspect.Inspector
	live      *wsource.Server
}

// room is the name of the only room of each kind.
const room = "board"

func newStudio(ctx context.Context, limit int, hosts ...string) (*studio, error) {
	s := &studio{
		// A client that is too slow for the strokes is closed, comes back with its
		// position, and gets those that it missed.
		strokes: hub.NewStates(hub.Config[string, string, change]{Messages: 2 * limit, Bytes: 16 << 20}),
		// Of the cursors, it gets the latest move of each.
		cursors:   hub.New(hub.Config[string, string, move]{Slow: hub.LatestByKey, Linger: time.Second}),
		inspector: inspect.New(&inspect.Config{Hosts: hosts, Show: inspect.ShowJSON("points")}),
	}
	state, err := hub.NewState(ctx, s.strokes.Room(room), limit)
	if err != nil {
		return nil, err
	}
	s.board.limit, s.board.state = limit, state
	s.inspector.Add("strokes", s.strokes)
	s.inspector.Add("cursors", s.cursors)
	s.live = &wsource.Server{MaxConnections: people, Options: wsource.AcceptOptions{
		Authorize: authorize, ReadLimit: 8 << 10, Hook: s.inspector.Hook(),
		Rate: wsource.Rate{Messages: 60, Burst: 200},
	}}
	return s, nil
}

// authorize takes the name that a client gives itself.
func authorize(r *http.Request) (wsource.Admission, error) {
	name := r.FormValue("name")
	if name == "" || len(name) > maxName || !utf8.ValidString(name) {
		return wsource.Admission{}, &wsource.RefusalError{Status: http.StatusBadRequest, Body: "a name has 1 to 24 bytes"}
	}
	return wsource.Admission{Key: name}, nil
}

// site returns the site that the program serves.
func (s *studio) site() program.Site {
	mux := http.NewServeMux()
	page.Mount(mux, html)
	mux.Handle("GET /strokes", s.live)
	mux.Handle("GET /cursors", s.live)
	mux.Handle("/inspect/", s.inspector)
	return program.Site{
		Handler: mux, Sockets: s.live,
		Work: func(ctx context.Context) error {
			return s.live.Handle(ctx, func(ctx context.Context, socket *wsource.Socket) error {
				if socket.Request().URL.Path == "/cursors" {
					return s.point(ctx, socket)
				}
				return s.draw(ctx, socket)
			})
		},
		Close: func(ctx context.Context) error {
			s.inspector.Close()
			s.board.state.Close()
			return errors.Join(s.strokes.Shutdown(ctx), s.cursors.Shutdown(ctx))
		},
	}
}

// draw has a socket get all strokes, and draw some.
func (s *studio) draw(ctx context.Context, socket *wsource.Socket) error {
	r := socket.Request()
	offset, _ := strconv.ParseUint(r.FormValue("offset"), 10, 64)
	since := hub.Position{Epoch: r.FormValue("epoch"), Offset: offset}
	if _, err := s.strokes.Room(room).Join(ctx, socket, socket.ID(), hub.JoinOptions{Since: since}); err != nil {
		return err
	}
	requests := operators.Named(operators.TryMap(socket, wsource.DecodeFunc(wsource.JSON[request, request]())), "requests")
	return observable.TryForEach(ctx, requests, func(q request) error {
		switch {
		case q.Undo:
			return s.board.undo(ctx, socket.Key())
		case q.Clear:
			return s.board.clear(ctx)
		}
		if problem := q.problem(q.Draw); problem != "" {
			return &wsource.CloseError{Code: wsource.StatusPolicyViolation, Reason: problem}
		}
		return s.board.draw(ctx, socket.Key(), q.Draw, q.stroke)
	})
}

// point has a socket get all cursors, and tell its own. While a move is being told, only
// the latest of the further ones waits.
func (s *studio) point(ctx context.Context, socket *wsource.Socket) error {
	member, err := s.cursors.Room(room).Join(ctx, socket, socket.Key(), hub.JoinOptions{})
	if err != nil {
		return err
	}
	moves := operators.TryMap(socket, wsource.DecodeFunc(wsource.JSON[move, move]()))
	latest := operators.Named(operators.OnBackpressureLatest(moves, nil), "moves")
	return observable.TryForEach(ctx, latest, func(m move) error { return member.Say(ctx, m) })
}
