package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

const (
	loginTime    = 10 * time.Second // time for a login
	farewellTime = 5 * time.Second  // time for the last lines to be sent
	remembered   = 500              // lines known by their keys; a room keeps fewer
	maxText      = 1000             // characters of a line, as on the page
)

// event is an event as a client gets it.
type event = hub.Event[string, string, remark]

// guest is a client in a terminal.
type guest struct {
	base           string // the server's URL
	name, password string
	room           string
	out            io.Writer
	subject        *wsource.Subject[event, request]
	heard          atomic.Pointer[hub.Position] // that of the last event, or nil
	members        map[string]bool              // members of the room
	shown          []string                     // keys of the last lines
}

// talk is a client: it prints the events, and says the lines that it reads. It ends with
// ctx, with the lines, or when the server refuses it.
func talk(ctx context.Context, o options, in io.Reader, out io.Writer) error {
	name, password, _ := strings.Cut(o.as, ":")
	base, err := url.Parse(o.connect)
	switch {
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https":
		return fmt.Errorf("-connect: not the URL of a server, as http://127.0.0.1:9003: %q", o.connect)
	case !isName(name) || password == "":
		return errors.New("-as: not a name:password with a name of " + nameRule)
	case !isName(o.room):
		return fmt.Errorf("-room: not a name of %s: %q", nameRule, o.room)
	}
	g := &guest{base: strings.TrimSuffix(o.connect, "/"), name: name, password: password, room: o.room, out: out}
	subject := wsource.NewSubject("", wsource.JSON[event, request](), &wsource.SubjectConfig[request]{
		Reconnect: new(backoff.Config), Target: g.target, OnEnd: onEnd,
		Delivery: func(r request) wsource.Delivery { return wsource.Delivery{ID: r.ID} },
	})
	g.subject = subject
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	events := subject.Subscribe(context.WithoutCancel(ctx), observable.ObserverFuncs[event]{
		OnNext: g.print, OnError: func(err error) { stop(err) }, OnComplete: func() { stop(nil) },
	})
	status := subject.Status().Subscribe(ctx, observable.ObserverFuncs[wsource.Status]{
		OnNext: g.printStatus, OnError: func(error) {}, // events tell of it
	})
	defer status.Unsubscribe()
	undelivered := subject.Undelivered().Subscribe(ctx, observable.ObserverFuncs[*wsource.SendError]{
		OnNext: g.sayAgain, OnError: func(error) {}, // it ends with ctx
	})
	defer undelivered.Unsubscribe()
	go func() { // until the input ends: only that wakes a read
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			if r, problem := parseLine(lines.Text()); problem != "" {
				g.printf("* not sent: %s", problem)
			} else if r.Text != "" {
				subject.Next(r)
			}
		}
		stop(lines.Err())
	}()
	<-ctx.Done()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewellTime)
	defer cancel()
	err = subject.Shutdown(closing)
	<-events.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		err = cause
	}
	return err
}

// onEnd says that a connection whose admission has expired is followed by another one,
// with a new ticket.
func onEnd(err error) wsource.Action {
	if wsource.CloseStatus(err) == wsource.StatusAuthorizationExpired {
		return wsource.RetryConnect
	}
	return wsource.CloseAction(err)
}

// target gets a ticket and returns the place to go on, for each connection.
func (g *guest) target(ctx context.Context, _ int, dial wsource.DialOptions) (string, wsource.DialOptions, error) {
	asked, err := http.NewRequestWithContext(ctx, http.MethodPost, g.base+"/login", nil)
	if err != nil {
		return "", dial, err
	}
	asked.SetBasicAuth(g.name, g.password)
	answer, err := (&http.Client{Timeout: loginTime}).Do(asked)
	if err != nil {
		return "", dial, err // of the network, as a rule, and so worth another attempt
	}
	_ = answer.Body.Close() // its body is of no interest
	if answer.StatusCode != http.StatusOK {
		return "", dial, fmt.Errorf("cannot log in as %s: %s", g.name, answer.Status)
	}
	dial.Header = http.Header{}
	query := url.Values{}
	for _, cookie := range answer.Cookies() {
		dial.Header.Add("Cookie", cookie.Name+"="+cookie.Value)
		query.Set("ticket", cookie.Name)
	}
	if at := g.heard.Load(); at != nil {
		query.Set("epoch", at.Epoch)
		query.Set("offset", strconv.FormatUint(at.Offset, 10))
	}
	return g.base + "/rooms/" + url.PathEscape(g.room) + "?" + query.Encode(), dial, nil
}

// parseLine reads a typed line, and returns the reason why it cannot be sent. An empty
// line has no text.
func parseLine(line string) (r request, problem string) {
	line = strings.TrimSpace(line)
	if utf8.RuneCountInString(line) > maxText {
		return r, fmt.Sprintf("a line has at most %d characters", maxText)
	}
	if !strings.HasPrefix(line, "/") {
		return request{Kind: "say", Text: line, ID: rand.Text()}, ""
	}
	rest, tells := strings.CutPrefix(line, "/tell ")
	to, text, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if text = strings.TrimSpace(text); !tells || text == "" {
		// A slip must not say private text to all.
		return r, "to tell somebody something: /tell NAME TEXT"
	}
	return request{Kind: "tell", To: to, Text: text, ID: rand.Text()}, ""
}

// sayAgain says again the lines that the server may not have got. If it has, every client
// knows a line by its ID.
func (g *guest) sayAgain(lost *wsource.SendError) {
	r, ok := lost.Value.(request)
	switch {
	case !ok:
	case lost.Outcome == wsource.Unknown || lost.Outcome == wsource.Partial:
		g.subject.Next(r)
	default:
		g.printf("* not sent: %s", r.Text)
	}
}

// isNew notes a line, and reports whether it was not shown before.
func (g *guest) isNew(e event) bool {
	if e.Value.ID == "" {
		return true
	}
	key := e.Member + " " + e.Value.ID
	if slices.Contains(g.shown, key) {
		return false
	}
	if g.shown = append(g.shown, key); len(g.shown) > remembered {
		g.shown = slices.Delete(g.shown, 0, 1)
	}
	return true
}

// print prints an event.
func (g *guest) print(e event) {
	g.heard.Store(&e.Position)
	switch e.Kind {
	case hub.Welcome:
		names := make([]string, len(e.Members))
		g.members = make(map[string]bool)
		for i, m := range e.Members {
			names[i] = m.Key
			g.members[m.Key] = true
		}
		g.printf("* in %s: %s", e.Room, strings.Join(names, ", "))
		switch e.Recovery {
		case hub.Gap:
			g.printf("* %d messages are gone", e.Missed)
		case hub.TooOld:
			g.printf("* something may be missing here")
		case hub.Fresh, hub.Recovered:
		}
	case hub.Entered:
		g.members[e.Member] = true
		g.printf("* %s has come", e.Member)
	case hub.Left:
		delete(g.members, e.Member)
		g.printf("* %s has left", e.Member)
	case hub.Said:
		if e.Member == g.name {
			g.subject.Confirm(e.Value.ID)
		}
		if !g.isNew(e) {
			return
		}
		who := e.Member
		if e.Private {
			who += " to " + e.Value.To
			// Its only trace is this line.
			if e.Member == g.name && !g.members[e.Value.To] {
				g.printf("* not told, as %s is not here: %s", e.Value.To, e.Value.Text)
				return
			}
		}
		at := e.At.Local() //nolint:gosmopolitan // the reader is here
		g.printf("%s %s: %s", at.Format("15:04"), who, e.Value.Text)
	case hub.Changed: // typing is not shown
	}
}

// printStatus prints that the connection is lost, and the reason.
func (g *guest) printStatus(status wsource.Status) {
	if status.State == wsource.LinkBackoff {
		g.printf("* no connection, next attempt in %v: %v", time.Until(status.NextTry).Round(100*time.Millisecond), status.Err)
	}
}

// printf prints a line, without characters that would command the terminal.
func (g *guest) printf(format string, a ...any) {
	line := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, fmt.Sprintf(format, a...))
	fmt.Fprintln(g.out, line)
}
