package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/page"
	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// request is a message of a client.
type request struct {
	Kind string `json:"kind"` // say, tell or status
	Text string `json:"text"` // text that is said, or the status, as "typing"
	To   string `json:"to"`   // user that is told
	ID   string `json:"id"`   // the sender's name for it
}

// remark is a value said.
type remark struct {
	Text string `json:"text"`
	To   string `json:"to,omitempty"` // user that is told it; all, if this is empty
	ID   string `json:"id,omitempty"`
}

// chat is the server: its rooms, and the users that may come.
type chat struct {
	users   map[string]string // password of each user
	tickets sync.Map          // of string: the user of each ticket, a string
	rooms   *hub.Hub[string, string, remark]
	said    lately
	live    *wsource.Server
}

func newChat(users map[string]string) *chat {
	c := &chat{users: users, rooms: hub.New(hub.Config[string, string, remark]{
		History: hub.History{Count: pastLines, Age: pastAge}, Linger: 5 * time.Second, MaxRooms: maxRooms,
	})}
	c.live = &wsource.Server{MaxPerKey: 20, Options: wsource.AcceptOptions{Authorize: c.authorize, ReadLimit: 8 << 10}}
	return c
}

// serve serves until ctx ends. Then every client gets the messages said before, and is
// told when to come back.
func (c *chat) serve(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	page.Mount(mux, html)
	mux.HandleFunc("POST /login", c.login)
	mux.Handle("GET /rooms/{room}", c.live)
	return program.Serve(ctx, listener, program.Site{
		Handler: mux, Sockets: c.live,
		Work:  func(ctx context.Context) error { return c.live.Handle(ctx, c.handle) },
		Close: c.rooms.Shutdown, // it ends the lingers
	})
}

// login gives a user with the right password a ticket for one connection, in a cookie of
// its own: a browser has several pages.
func (c *chat) login(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if known := c.users[user]; known == "" || subtle.ConstantTimeCompare([]byte(known), []byte(password)) == 0 {
		http.Error(w, "There is no such name and password.", http.StatusUnauthorized)
		return
	}
	name, ticket := rand.Text(), rand.Text()
	c.tickets.Store(ticket, user)
	time.AfterFunc(time.Minute, func() { c.tickets.Delete(ticket) })
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // it is not Secure, since the server may be without TLS
		Name: name, Value: ticket, Path: "/rooms", MaxAge: 60, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	_, _ = io.WriteString(w, name) // a client that is gone does not read it
}

// authorize admits a client that has a ticket.
func (c *chat) authorize(r *http.Request) (wsource.Admission, error) {
	if cookie, err := r.Cookie(r.FormValue("ticket")); err == nil && isName(r.PathValue("room")) {
		if user, ok := c.tickets.LoadAndDelete(cookie.Value); ok {
			key, _ := user.(string)
			return wsource.Admission{Key: key, Until: time.Now().Add(12 * time.Hour)}, nil
		}
	}
	return wsource.Admission{}, &wsource.RefusalError{Status: http.StatusUnauthorized}
}

// handle has a socket be in a room until either ends: five requests a second, after ten
// at once.
func (c *chat) handle(ctx context.Context, socket *wsource.Socket) error {
	r, user, room := socket.Request(), socket.Key(), socket.Request().PathValue("room")
	offset, _ := strconv.ParseUint(r.FormValue("offset"), 10, 64)
	options := hub.JoinOptions{Since: hub.Position{Epoch: r.FormValue("epoch"), Offset: offset}, Meta: "online"}
	member, err := c.rooms.Room(room).Join(ctx, socket, user, options)
	if err != nil {
		return &wsource.CloseError{Code: wsource.StatusTryAgainLater, Reason: "there is no room", Err: err}
	}
	limited := operators.RateLimit(socket, 5, time.Second, 10)
	requests := operators.TryMap(limited, wsource.DecodeFunc(wsource.JSON[request, request]()))
	return observable.TryForEach(ctx, requests, func(r request) error {
		if r.ID != "" && errors.Is(c.live.Ready(), http.ErrServerClosed) {
			// Some clients are gone already. The sender does not hear its line, and says
			// it again after the restart.
			return nil
		}
		switch r.Kind {
		case "say":
			return c.said.once(ctx, room, user, r.ID, func() error { return member.Say(ctx, remark{Text: r.Text, ID: r.ID}) })
		case "tell":
			// No room keeps it.
			return member.To(r.To, user).Say(ctx, remark{r.Text, r.To, r.ID})
		case "status":
			return member.SetMeta(ctx, r.Text)
		}
		return &wsource.CloseError{Code: wsource.StatusPolicyViolation, Reason: "unknown kind"}
	})
}
