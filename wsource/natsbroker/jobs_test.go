package natsbroker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	wsevent "github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

// stand is one of the nodes that have a queue in common.
type stand struct {
	*node

	jobs  *natsbroker.Jobs
	queue *wsevent.Queue[string]
	done  *observabletest.Recorder[wsevent.Job[string]]
	dead  *observabletest.Recorder[wsevent.Job[string]]

	gaveUp bool // the test shut its queue down, with jobs left
}

func (c *cloud) stand(config wsevent.QueueConfig[string]) *stand {
	c.t.Helper()
	w := new(wire)
	conn, err := nats.Connect(c.server.ClientURL(), nats.SetCustomDialer(w),
		nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	require.NoError(c.t, err)
	s := &stand{node: &node{t: c.t, conn: conn, wire: w}}
	s.jobs, err = natsbroker.NewJobs(c.t.Context(), conn, natsbroker.JobsConfig{Queue: "jobs"})
	require.NoError(c.t, err)
	config.Broker = s.jobs
	s.queue = wsevent.NewQueue("job", &config)
	s.done = observabletest.NewRecorder[wsevent.Job[string]]()
	s.dead = observabletest.NewRecorder[wsevent.Job[string]]()
	s.queue.Subscribe(context.Background(), s.done)
	s.queue.DeadLetters().Subscribe(context.Background(), s.dead)
	c.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		// A second Shutdown tells the outcome of the first.
		if err := s.queue.Shutdown(ctx); !conn.IsClosed() && !s.gaveUp {
			assert.NoError(c.t, err)
		}
		s.jobs.Close()
		conn.Close()
	})
	s.serve()
	return s
}

// worker has a client of the node work for the queue.
func (s *stand) worker(work func(ctx context.Context, job string) error) *wsource.Socket {
	s.t.Helper()
	client, err := wsource.Dial(s.t.Context(), "ws://server.test:80", &wsource.DialOptions{
		Transport: s.site.network.HTTPClient().Transport,
	})
	require.NoError(s.t, err)
	far, near := wsevent.New(client, nil), wsevent.New(<-s.site.sockets, nil)
	wsevent.Answer(far, "job", func(ctx context.Context, job string) (struct{}, error) { return struct{}{}, work(ctx, job) })
	s.queue.Work(near, 1)
	far.Connect(context.Background())
	near.Connect(context.Background())
	return client
}

func (s *stand) add(jobs ...string) {
	s.t.Helper()
	for _, job := range jobs {
		require.NoError(s.t, s.queue.Add(s.t.Context(), job))
	}
}

// ledger notes the workers' deeds.
type ledger struct {
	mu    sync.Mutex
	lines []string
}

func (l *ledger) note(values ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprint(values...))
}

func (l *ledger) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

func (l *ledger) count() string { return fmt.Sprint(len(l.all())) }

// doneOn returns how many jobs the workers of some nodes have done.
func doneOn(stands ...*stand) func() string {
	return func() string {
		n := 0
		for _, s := range stands {
			n += len(s.done.Values())
		}
		return fmt.Sprint(n)
	}
}

// The jobs of all nodes are one queue for the workers of all, and each is done once.
func TestQueueAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	stands := []*stand{c.stand(wsevent.QueueConfig[string]{}), c.stand(wsevent.QueueConfig[string]{}), c.stand(wsevent.QueueConfig[string]{})}
	var work ledger
	var want []string
	for i := range 60 {
		job := fmt.Sprintf("job %02d", i)
		want = append(want, job)
		stands[i%3].add(job)
	}
	for _, s := range stands {
		for range 2 {
			s.worker(func(_ context.Context, job string) error { work.note(job); return nil })
		}
	}
	eventually(t, "60", doneOn(stands...))
	assert.ElementsMatch(t, want, work.all())
	for _, s := range stands {
		assert.Empty(t, s.dead.Values())
	}
}

// Jobs with one key are done one after the other in their order, on whichever nodes
// their workers are.
func TestQueueKeyAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	config := wsevent.QueueConfig[string]{Key: func(job string) string { key, _, _ := strings.Cut(job, "-"); return key }}
	stands := []*stand{c.stand(config), c.stand(config), c.stand(config)}
	var work ledger
	var mu sync.Mutex
	busy, failed := map[string]bool{}, map[string]bool{}
	for _, s := range stands {
		for range 2 {
			s.worker(func(_ context.Context, job string) error {
				key := config.Key(job)
				mu.Lock()
				assert.False(t, busy[key], "two jobs of a key at a time")
				busy[key] = true
				first := !failed[job]
				failed[job] = true
				mu.Unlock()
				time.Sleep(time.Millisecond) // so that another one could come meanwhile
				mu.Lock()
				defer mu.Unlock()
				busy[key] = false
				if first && strings.HasSuffix(job, "5") {
					return errors.New("not at once")
				}
				work.note(job)
				return nil
			})
		}
	}
	want := map[string][]string{}
	for i := range 10 {
		for _, key := range []string{"a", "b", "c", "d"} {
			job := fmt.Sprint(key, "-", i)
			want[key] = append(want[key], job)
			stands[0].add(job)
		}
	}
	eventually(t, "40", doneOn(stands...))
	got := map[string][]string{}
	for _, job := range work.all() {
		got[config.Key(job)] = append(got[config.Key(job)], job)
	}
	assert.Equal(t, want, got)
}

// A job that fails goes to other nodes too, and is a dead letter after so many attempts
// in all.
func TestQueueDeadLetterAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	config := wsevent.QueueConfig[string]{Attempts: 7}
	a, b := c.stand(config), c.stand(config)
	var work ledger
	for _, s := range []*stand{a, b} {
		s.worker(func(_ context.Context, job string) error {
			if job == "bad" {
				work.note(job)
				return &wsevent.PublicError{Code: "broken", Message: "it is broken"}
			}
			return nil
		})
	}
	a.add("bad", "good")
	eventually(t, "1", func() string { return fmt.Sprint(len(a.dead.Values()) + len(b.dead.Values())) })
	eventually(t, "1", doneOn(a, b))
	assert.Equal(t, "7", work.count())
	letter := append(a.dead.Values(), b.dead.Values()...)[0]
	assert.Equal(t, 7, letter.Attempts)
	require.ErrorContains(t, letter.Err, "it is broken")
	assert.Error(t, a.queue.Add(t.Context(), strings.Repeat("x", 2<<20)))
}

// The job of a worker that goes is handed on at once, that of a node that dies after a
// short time.
func TestQueueNodeDies(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a, b := c.stand(wsevent.QueueConfig[string]{}), c.stand(wsevent.QueueConfig[string]{})
	var work ledger
	begun := make(chan struct{}, 2)
	stuck := func(ctx context.Context, job string) error {
		work.note("a ", job)
		begun <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	first := a.worker(stuck)
	a.add("one")
	<-begun
	first.CloseNow()
	a.worker(stuck)
	<-begun
	b.worker(func(_ context.Context, job string) error { work.note("b ", job); return nil })
	a.kill()
	eventually(t, "1", doneOn(b))
	assert.Equal(t, []string{"a one", "a one", "b one"}, work.all())
	assert.Equal(t, 3, b.done.Values()[0].Attempts)
}

// A job that kills its node again and again is a dead letter.
func TestQueueKillsNodes(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	config := wsevent.QueueConfig[string]{Attempts: 2}
	last := c.stand(config)
	last.add("bad")
	for range 2 {
		s := c.stand(config)
		begun := make(chan struct{})
		s.worker(func(ctx context.Context, _ string) error {
			close(begun)
			<-ctx.Done()
			return ctx.Err()
		})
		<-begun
		s.kill()
	}
	last.worker(func(context.Context, string) error { return nil })
	eventually(t, "1", func() string { return fmt.Sprint(len(last.dead.Values())) })
	assert.ErrorContains(t, last.dead.Values()[0].Err, "lost")
	assert.Empty(t, last.done.Values())
}

// A job that was added without an error is done, though the servers are stopped and
// started meanwhile, and the nodes are cut off.
func TestQueueLosesNothing(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	stands := []*stand{c.stand(wsevent.QueueConfig[string]{}), c.stand(wsevent.QueueConfig[string]{})}
	var work ledger
	for _, s := range stands {
		s.worker(func(_ context.Context, job string) error { work.note(job); return nil })
	}
	var added ledger
	var adders sync.WaitGroup
	stop := make(chan struct{})
	for i, s := range stands {
		adders.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				job := fmt.Sprint(i, "-", n)
				if s.queue.Add(t.Context(), job) == nil {
					added.note(job)
				}
			}
		})
	}
	for i := range 4 {
		before := len(work.all())
		eventually(t, "true", func() string { return fmt.Sprint(len(work.all()) > before+20) })
		if i%2 == 0 {
			c.stop()
			c.start()
		} else {
			stands[0].wire.set(true)
			stands[0].wire.set(false)
		}
	}
	close(stop)
	adders.Wait()
	defer func() {
		if t.Failed() {
			t.Log(stands[0].jobs.Dump(), "\n", stands[1].jobs.Dump(), "\n", stands[0].queue, stands[1].queue)
		}
	}()
	eventually(t, "[]", func() string {
		done := map[string]bool{}
		for _, job := range work.all() {
			done[job] = true
		}
		return fmt.Sprint(slices.DeleteFunc(added.all(), func(job string) bool { return done[job] }))
	})
}

// A node that is shut down gives back the jobs that its workers have not done. Adders
// wait while too many jobs do.
func TestQueueShutdownGivesBack(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	config := wsevent.QueueConfig[string]{MaxWaiting: 2}
	a, b := c.stand(config), c.stand(config)
	begun := make(chan struct{})
	a.worker(func(ctx context.Context, _ string) error {
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	})
	a.add("one")
	<-begun
	a.add("two", "three")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	eventually(t, "enough", func() string { return fmt.Sprint(b.queue.Add(ctx, "four")) })
	a.gaveUp = true
	require.EqualError(t, a.queue.Shutdown(ctx), "enough")
	require.ErrorIs(t, a.queue.Add(t.Context(), "five"), wsevent.ErrQueueShutdown)
	var work ledger
	b.worker(func(_ context.Context, job string) error { work.note(job); return nil })
	eventually(t, "3", doneOn(b))
	assert.ElementsMatch(t, []string{"one", "two", "three"}, work.all(), "without a key there is no order")
	assert.Empty(t, a.dead.Values())
}
