package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// A server that takes one subscription a second, with any number of topics, and answers
// for each of them.
func ExampleTopicsConfig() {
	server := new(wsource.Server)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			answers := operators.MergeMap(s, func(m wsource.Message) observable.Observable[wsource.Message] {
				var all []wsource.Message
				for topic := range strings.FieldsSeq(strings.TrimPrefix(m.String(), "subscribe")) {
					answer := "accepted " + topic
					if topic == "secrets" {
						answer = "refused " + topic
					}
					all = append(all, wsource.TextMessage(answer))
				}
				return observable.FromSlice(all)
			})
			answers.Subscribe(context.Background(), s)
		},
	})
	h := httptest.NewServer(server)
	defer h.Close()
	defer func() { _ = server.Shutdown(context.Background()) }()

	subject := wsource.NewSubject(h.URL, wsource.TextCodec(), nil)
	topics := wsource.NewTopics(subject, wsource.TopicsConfig[string, string, string]{
		SubscribeAll:   func(topics []string) string { return "subscribe " + strings.Join(topics, " ") },
		UnsubscribeAll: func(topics []string) string { return "unsubscribe " + strings.Join(topics, " ") },
		Interval:       time.Second,
		Acknowledged: func(text string) (topic string, refusal error, ok bool) {
			if topic, ok = strings.CutPrefix(text, "refused "); ok {
				return topic, errors.New("not for you"), true
			}
			topic, ok = strings.CutPrefix(text, "accepted ")
			return topic, nil, ok
		},
		Topic: func(text string) (string, bool) {
			topic, _, ok := strings.Cut(text, ": ")
			return topic, ok
		},
	})
	_, err := observable.FirstValue(context.Background(), topics.Topic("secrets"))
	fmt.Println(err)

	// Output: wsource: topic secrets: TopicsConfig.Acknowledged: not for you
}
