package wsource_test

import (
	"context"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// question is a request and, from a server that echoes, the answer to it.
type question struct {
	ID   uint64 `json:"id,omitempty"`
	Text string `json:"text"`
}

// questions returns requests to a server.
func questions(url string) *wsource.Requests[question, question] {
	subject := wsource.NewSubject(url, wsource.JSON[question, question](), &wsource.SubjectConfig[question]{
		Linger: time.Second, // the connection stays open between two requests
	})
	return wsource.NewRequests(subject, wsource.RequestsConfig[question, question]{
		SetID: func(q question, id uint64) question { q.ID = id; return q },
		ID:    func(q question) (uint64, bool) { return q.ID, q.ID != 0 },
	})
}

func ExampleNewRequests() {
	url, stop := echo()
	defer stop()
	requests := questions(url)

	fmt.Println(requests.Do(context.Background(), question{Text: "how late is it?"}))
	fmt.Println(requests.Do(context.Background(), question{Text: "and now?"}))

	// Output:
	// {1 how late is it?} <nil>
	// {2 and now?} <nil>
}

// A request whose answer is not wanted any more is given up.
func ExampleRequests_Call() {
	url, stop := echo()
	defer stop()
	requests := questions(url)

	typed := observable.Of("g", "go", "gopher")
	answers := operators.SwitchMap(typed, func(text string) observable.Observable[question] {
		return requests.Call(question{Text: text})
	})
	err := observable.ForEach(context.Background(), answers, func(q question) { fmt.Println(q.Text) })
	fmt.Println(err)

	// Output:
	// gopher
	// <nil>
}

// Each connection begins with a login; the outbox leaves after the answer.
func ExampleRequests_DoOn() {
	url, stop := echo()
	defer stop()
	subject := wsource.NewSubject(url, wsource.JSON[question, question](), nil)
	requests := wsource.NewRequests(subject, wsource.RequestsConfig[question, question]{
		SetID: func(q question, id uint64) question { q.ID = id; return q },
		ID:    func(q question) (uint64, bool) { return q.ID, q.ID != 0 },
	})
	login := func(c *wsource.Connection[question, question]) observable.Observable[question] {
		if _, err := requests.DoOn(context.Background(), c, question{Text: "login"}); err != nil {
			return observable.Throw[question](err)
		}
		return c
	}
	subject.Next(question{Text: "first"}) // waits for the login
	values := operators.SwitchMap(subject.Connections(), login)
	err := observable.ForEach(context.Background(), operators.Take(values, 2), func(q question) { fmt.Println(q.Text) })
	fmt.Println(err)

	// Output:
	// login
	// first
	// <nil>
}
