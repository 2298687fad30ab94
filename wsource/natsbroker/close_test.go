package natsbroker_test

import (
	"context"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

// A second Close of a broker returns when the first one has ended everything, or with its
// own context. An observer that hears the end of the status may close the broker, too.
func TestClosedTwice(t *testing.T) {
	reading = func(touchy) {}
	c := newCloud(t)
	opening, goOn := make(chan struct{}), make(chan struct{})
	begun := sync.OnceFunc(func() { close(opening) })
	sender := c.touchyNode(func(touchy) {})
	require.NoError(t, sender.Publish(t.Context(), &touchyEvent{Kind: hub.Said, Room: "lobby", Value: "one"}))
	b := c.touchyNode(func(touchy) { begun(); <-goOn })
	again := make(chan error, 1)
	b.Status().Subscribe(t.Context(), observable.ObserverFuncs[natsbroker.Status]{
		OnComplete: func() { again <- b.Close(context.Background()) },
	})
	subscribed, first := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(subscribed)
		_, _ = b.Subscribe(t.Context(), "lobby", func(*touchyEvent) {}) // the room may open or not
	}()
	<-opening
	go func() { first <- b.Close(context.Background()) }()
	eventually(t, natsbroker.ErrClosed.Error(), func() string {
		_, err := b.Snapshot(t.Context(), "hall", hub.Position{})
		if failure, ok := err.(*hub.RoomError); ok { //nolint:errorlint // the text of its cause is wanted
			err = failure.Err
		}
		return err.Error()
	})
	hurried, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.Close(hurried), context.Canceled, "the first one waits for a room that opens")
	close(goOn)
	require.NoError(t, b.Close(t.Context()))
	require.NoError(t, <-first)
	require.NoError(t, <-again)
	<-subscribed
}

// A second Close of jobs returns when the first one has ended everything.
func TestJobsClosedTwice(t *testing.T) {
	c := newCloud(t)
	conn, err := nats.Connect(c.server.ClientURL())
	require.NoError(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	_, err = js.AccountInfo(t.Context()) // the connection now has its own subscription, for answers
	require.NoError(t, err)
	idle := conn.NumSubscriptions()
	for range 10 {
		jobs, err := natsbroker.NewJobs(t.Context(), conn, natsbroker.JobsConfig{Queue: "q"})
		require.NoError(t, err)
		var closers sync.WaitGroup
		for range 4 {
			closers.Go(func() {
				jobs.Close()
				assert.Equal(t, idle, conn.NumSubscriptions())
			})
		}
		closers.Wait()
	}
}
