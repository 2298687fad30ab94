package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// radio posts to peers, and hears the outcome of each message.
type radio struct{ posted chan string }

func (r radio) Posted(p *wsource.Posting, err *wsource.SendError) {
	r.posted <- fmt.Sprint(p.Prepared.Message(), " lost: ", err != nil)
}

// A posting never waits. A sender that posts to many sockets hears the outcome of each
// message.
func ExamplePosting() {
	url, stop := echo()
	defer stop()
	socket, err := wsource.Dial(context.Background(), url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	station := radio{posted: make(chan string, 1)}
	var owner wsource.PostingOwner = station
	var peer wsource.Peer = socket // a hub sends to peers: sockets, and sessions
	peer.OnEnd(func() {})
	news := &wsource.Posting{Prepared: wsource.Prepare(wsource.TextMessage("news")), Owner: owner}
	peer.Post(news)
	fmt.Println(<-station.posted)
	fmt.Println("taken back:", peer.Withdraw(news)) // it has left
	fmt.Println(observable.FirstValue(context.Background(), socket))
	_ = peer.Close(wsource.StatusNormalClosure, "")
	// Output:
	// news lost: false
	// taken back: false
	// news <nil>
}

// A carrier is the layer below a subject: one connection, or a session over several.
// Postings go to it, too.
func ExampleCarrier() {
	url, stop := echo()
	defer stop()
	open := func(ctx context.Context, _ int) (wsource.Carrier, error) {
		socket, err := wsource.Dial(ctx, url, nil)
		if err != nil {
			return nil, err
		}
		return socket.Carrier(), nil
	}
	subject := wsource.NewCarriedSubject(open, wsource.TextCodec(), nil)
	subject.Next("hello")
	fmt.Println(observable.FirstValue(context.Background(), subject))

	carrier, err := open(context.Background(), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	wrapped := wsource.WrapCarrier(carrier, wsource.TextCodec(), nil)
	station := radio{posted: make(chan string, 1)}
	news := &wsource.Posting{Prepared: wsource.Prepare(wsource.TextMessage("news")), Owner: station}
	news.PostOn(carrier)
	fmt.Println(<-station.posted, news.WithdrawFrom(carrier))
	fmt.Println(observable.FirstValue(context.Background(), wrapped))
	// Output:
	// hello <nil>
	// news lost: false false
	// news <nil>
}

// Code that keeps a borrowed message copies it.
func ExampleMessage_Owned() {
	buffer := []byte("hello")
	lent := wsource.BorrowedMessage(wsource.Text, buffer)
	kept := lent.Owned()
	copy(buffer, "xxxxx")
	fmt.Println(lent.Borrowed(), kept.Borrowed(), kept)
	// Output: true false hello
}

// A message that is too large for memory is read while it arrives.
func ExampleMessageReader() {
	url, stop := echo()
	defer stop()
	socket, err := wsource.Dial(context.Background(), url, &wsource.DialOptions{Compression: wsource.NoCompression})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer socket.CloseNow()
	socket.Next(wsource.TextMessage("a long story"))
	socket.Next(wsource.TextMessage("another"))
	var kept *wsource.MessageReader
	err = observable.ForEach(context.Background(), operators.Take(socket.Readers(), 2), func(m *wsource.MessageReader) {
		if kept != nil { // it was for its own callback only
			_, err := kept.Read(make([]byte, 1))
			fmt.Println(errors.Is(err, wsource.ErrReaderOver))
		}
		piece := make([]byte, 6)
		n, err := m.Read(piece)
		fmt.Println(string(piece[:n]), err)
		kept = m
	})
	fmt.Println(err)
	// Output:
	// a long <nil>
	// true
	// anothe <nil>
	// <nil>
}

// The reader of a message may fail on its way: the peer then gets no message at all.
func ExampleStreamError() {
	url, stop := echo()
	defer stop()
	socket, err := wsource.Dial(context.Background(), url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = socket.SendReader(context.Background(), wsource.Binary, brokenDisk{})
	var lost *wsource.SendError
	var stream *wsource.StreamError
	fmt.Println(errors.As(err, &lost), errors.As(err, &stream), errors.Is(err, wsource.ErrReaderCount))
	fmt.Println(stream.Err)
	// Output:
	// true true false
	// the disk is broken
}

type brokenDisk struct{}

func (brokenDisk) Read([]byte) (int, error) { return 0, errors.New("the disk is broken") }

// A union reports a message of an unknown kind, and with Otherwise takes it.
func ExampleTagError() {
	type trade struct{ Price float64 }
	known := wsource.Union("type", wsource.As[trade]("trade"))
	_, err := known.Decode(wsource.Text, []byte(`{"type":"weather"}`))
	if tag, ok := errors.AsType[*wsource.TagError](err); ok {
		fmt.Println(known.Name(), "does not know the", tag.Field, tag.Tag)
	}
	all := wsource.Union("type", wsource.As[trade]("trade"), wsource.Otherwise[map[string]any]())
	fmt.Println(all.Decode(wsource.Text, []byte(`{"type":"weather"}`)))
	_, err = wsource.TextCodec().Decode(wsource.Binary, nil)
	fmt.Println(errors.Is(err, wsource.ErrMessageType))
	// Output:
	// union does not know the type weather
	// map[type:weather] <nil>
	// true
}

// A question that gets no answer says whether it may have arrived.
func ExampleRequestError() {
	url, stop := silent()
	defer stop()
	requests := wsource.NewRequests(wsource.NewSubject(url, wsource.JSON[question, question](), nil), wsource.RequestsConfig[question, question]{
		SetID:   func(q question, id uint64) question { q.ID = id; return q },
		ID:      func(q question) (uint64, bool) { return q.ID, true },
		Timeout: time.Millisecond, // wsource.NoTimeout waits for ever
	})
	_, err := requests.Do(context.Background(), question{})
	if failed, ok := errors.AsType[*wsource.RequestError](err); ok {
		fmt.Println(errors.Is(err, wsource.ErrRequestTimeout), failed.ID)
	}
	fmt.Println(wsource.NoTimeout < 0)
	// Output:
	// true 1
	// true
}

// silent is a server that reads, and never answers.
func silent() (url string, stop func()) {
	server := new(wsource.Server)
	go func() {
		_ = server.Handle(context.Background(), func(ctx context.Context, s *wsource.Socket) error {
			return observable.ForEach(ctx, s, func(wsource.Message) {})
		})
	}()
	// Until Handle takes sockets.
	if err := server.AwaitReady(context.Background()); err != nil {
		panic(err)
	}
	h := httptest.NewServer(server)
	return "ws" + strings.TrimPrefix(h.URL, "http"), func() {
		_ = server.Shutdown(context.Background())
		h.Close()
	}
}

// A topic that the server does not acknowledge fails, and no other topic with it.
func ExampleTopicError() {
	url, stop := silent()
	defer stop()
	subject := wsource.NewSubject(url, wsource.TextCodec(), nil)
	topics := wsource.NewTopics(subject, wsource.TopicsConfig[string, string, string]{
		Subscribe:    func(topic string) string { return "+" + topic },
		Unsubscribe:  func(topic string) string { return "-" + topic },
		Topic:        func(v string) (string, bool) { return v, true },
		Acknowledged: func(string) (string, error, bool) { return "", nil, false },
		AckTimeout:   time.Millisecond,
	})
	_, err := observable.Collect(context.Background(), topics.Topic("news"))
	if topic, ok := errors.AsType[*wsource.TopicError](err); ok {
		fmt.Println(topic.Topic, topic.Setting, errors.Is(err, wsource.ErrTopicTimeout))
	}
	// Output:
	// news AckTimeout true
}

// A hook counts the events that are worth an alarm.
func ExampleEventKind() {
	alarms := wsource.HookFunc(func(e wsource.Event) {
		switch e.Kind {
		case wsource.EventFailed, wsource.EventUndecodable:
			fmt.Println("a bug, here or there:", e.Err)
		case wsource.EventRefused, wsource.EventOverRate, wsource.EventDropped:
			fmt.Println("a limit:", e.Kind)
		case wsource.EventOpened, wsource.EventClosed, wsource.EventReconnect, wsource.EventHeartbeat:
		case wsource.EventReceived, wsource.EventSent:
		}
	})
	alarms.Handle(wsource.Event{Kind: wsource.EventOverRate})
	// Output: a limit: over rate
}

// tape is a hook that sees the data, too.
type tape struct{ wsource.Hook }

func (tape) Trace(_ *wsource.Socket, sent bool, m wsource.Message) {
	if sent {
		fmt.Println("sent", m)
	}
}

func ExampleTracer() {
	url, stop := echo()
	defer stop()
	var tracer wsource.Tracer = tape{wsource.LogHook(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))}
	socket, err := wsource.Dial(context.Background(), url, &wsource.DialOptions{Hook: tracer})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer socket.CloseNow()
	if err := socket.Send(context.Background(), wsource.TextMessage("hello")); err != nil {
		fmt.Println(err)
	}
	// Output: sent hello
}

// A Connection is for the tasks of one connection of a subject.
func ExampleConnection_Send() {
	url, stop := echo()
	defer stop()
	subject := wsource.NewSubject(url, wsource.TextCodec(), nil)
	greeted := operators.SwitchMap(subject.Connections(), func(c *wsource.Connection[string, string]) observable.Observable[string] {
		if err := c.Send(context.Background(), "login"); err != nil {
			return observable.Throw[string](err)
		}
		fmt.Println(c.Socket() != nil, c.Err())
		return c
	})
	fmt.Println(observable.FirstValue(context.Background(), greeted))
	// Output:
	// true <nil>
	// login <nil>
}
