package interop_test

import (
	"encoding/json"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// request is a client's request for a topic.
type request struct {
	Op    string `json:"op"`
	Topic string `json:"topic"`
}

// quote is a value of a topic.
type quote struct {
	Topic string `json:"topic"`
	Value int    `json:"value"`
}

// inJSON returns a message with the value.
func inJSON(c *contact, value any) wsource.Message {
	data, err := json.Marshal(value)
	require.NoError(c, err)
	return wsource.TextMessage(string(data))
}

func topicScenarios() []scenario {
	return []scenario{
		{name: "Topics here", only: server, run: topicsHere},
		{name: "multiplex there", only: client, needs: []feature{multiplex}, run: multiplexThere},
	}
}

// topicsHere has two subscribers of one topic and one of another, over a connection that
// breaks.
func topicsHere(c *contact) {
	subject := wsource.NewSubject(c.url, wsource.JSON[quote, request](), &wsource.SubjectConfig[request]{
		Dial: c.dialOptions(), Reconnect: &backoff.Config{Base: time.Millisecond},
	})
	topics := wsource.NewTopics(subject, wsource.TopicsConfig[string, quote, request]{
		Subscribe:   func(topic string) request { return request{"subscribe", topic} },
		Unsubscribe: func(topic string) request { return request{"unsubscribe", topic} },
		Topic:       func(q quote) (string, bool) { return q.Topic, q.Topic != "" },
	})
	subscribe := func(topic string) (observable.Subscription, <-chan int) {
		values := make(chan int, 10)
		return topics.Topic(topic).Subscribe(c.ctx, observable.ObserverFuncs[quote]{
			OnNext: func(q quote) { values <- q.Value },
		}), values
	}
	expect := func(values <-chan int, value int) {
		select {
		case got := <-values:
			require.Equal(c, value, got)
		case <-c.ctx.Done():
			require.Fail(c, "the value does not come")
		}
	}
	asks := func(op, topic string) {
		require.JSONEq(c, inJSON(c, request{op, topic}).String(), c.take("message").Data)
	}

	first, one := subscribe("a")
	c.take("open")
	asks("subscribe", "a")
	second, two := subscribe("a")
	third, three := subscribe("b")
	asks("subscribe", "b") // and "a" not once more
	c.say(inJSON(c, quote{"a", 1}))
	c.say(inJSON(c, quote{"b", 2}))
	expect(one, 1)
	expect(two, 1)
	expect(three, 2)
	first.Unsubscribe()
	second.Unsubscribe()
	asks("unsubscribe", "a")

	c.tell(command{"do": "cut"})
	c.take("close")
	c.take("open")
	asks("subscribe", "b")
	c.say(inJSON(c, quote{"b", 3}))
	expect(three, 3)
	third.Unsubscribe()
	asks("unsubscribe", "b")
	c.take("close")
	<-third.Done()
}

// multiplexThere has RxJS ask for topics, and a server that ends with a restart.
func multiplexThere(c *contact) {
	does := func(do, topic string) { c.tell(command{"do": do, "topic": topic, "url": c.url}) }
	asks := func(op, topic string) {
		require.JSONEq(c, inJSON(c, request{op, topic}).String(), c.received().String())
	}
	tells := func(topic string, value int) {
		c.send(inJSON(c, quote{topic, value}))
		e := c.take("value")
		assert.Equal(c, quote{topic, value}, quote{e.Topic, e.Value})
	}
	does("subscribe", "a")
	c.accept()
	asks("subscribe", "a")
	does("subscribe", "b")
	asks("subscribe", "b")
	tells("a", 1)
	tells("b", 2)
	does("unsubscribe", "a")
	asks("unsubscribe", "a")
	c.send(inJSON(c, quote{"a", 3}))
	tells("b", 4)
	require.NoError(c, c.ours.Close(wsource.StatusServiceRestart, "a restart"))
	assert.EqualValues(c, wsource.StatusServiceRestart, c.take("close").Code)
	end := c.take("end")
	assert.Equal(c, "b", end.Topic)
	assert.Equal(c, "complete", end.How, "for RxJS a close with a frame is a good end, with any code")
}
