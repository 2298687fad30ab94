package event_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// log notes the order of events.
type log struct {
	mu   sync.Mutex
	text []string
}

func (l *log) add(values ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, fmt.Sprint(values...))
}

func (l *log) all() []string {
	settle()
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.text...)
}

// worker has a new client work for a queue.
func (s *site) worker(
	q *event.Queue[int], credit int, work func(ctx context.Context, n int) error,
) (client *wsource.Socket, working observable.Subscription) {
	s.t.Helper()
	a, b := s.pair()
	far, near := event.New(a, nil), event.New(b, nil)
	if work != nil {
		event.Answer(far, "job", func(ctx context.Context, n int) (struct{}, error) { return struct{}{}, work(ctx, n) })
	}
	working = q.Work(near, credit)
	record(s.t, near.Errors())
	record(s.t, far.Errors())
	connect(far, near)
	return a, working
}

// values returns the values of jobs.
func values(jobs []event.Job[int]) []int {
	all := []int{}
	for _, j := range jobs {
		all = append(all, j.Value)
	}
	return all
}

func TestQueue(t *testing.T) {
	t.Run("one of a group", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", nil)
			done := record(t, observable.Observable[event.Job[int]](q))
			var work log
			for _, name := range []string{"a", "b", "c"} {
				s.worker(q, 1, func(_ context.Context, n int) error {
					work.add(name, n)
					time.Sleep(time.Second)
					return nil
				})
			}
			observable.Range(0, 7).Subscribe(t.Context(), q)
			assert.Len(t, work.all(), 3, "each has credit for one")
			assert.Equal(t, `queue "job": 4 waiting, 3 under way`, q.String())
			time.Sleep(time.Second)
			assert.Len(t, work.all(), 6)
			require.NoError(t, q.Shutdown(t.Context()))
			assert.ElementsMatch(t, []int{0, 1, 2, 3, 4, 5, 6}, values(done.Values()))
			require.NoError(t, done.ExpectEnd(t))
			assert.Equal(t, 1, done.Values()[0].Attempts)
			require.ErrorIs(t, q.Add(t.Context(), 1), event.ErrQueueShutdown)
		})
	})
	t.Run("a failure is handed on", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", &event.QueueConfig[int]{Attempts: 3})
			done, dead := record(t, observable.Observable[event.Job[int]](q)), record(t, q.DeadLetters())
			ids := make(chan string, 10)
			s.worker(q, 1, func(ctx context.Context, n int) error {
				ids <- event.Question(ctx).Corr
				return &event.PublicError{Code: "broken", Message: "always"}
			})
			s.worker(q, 1, func(ctx context.Context, n int) error {
				ids <- event.Question(ctx).Corr
				if n == 1 {
					return errors.New("poison")
				}
				return nil
			})
			q.Next(0)
			settle()
			require.Len(t, done.Values(), 1, "the other one has done it")
			assert.Equal(t, 2, done.Values()[0].Attempts)
			assert.Equal(t, <-ids, <-ids)
			q.Next(1)
			settle()
			require.Len(t, dead.Values(), 1)
			assert.Equal(t, 3, dead.Values()[0].Attempts)
			var re *event.RemoteError
			require.ErrorAs(t, dead.Values()[0].Err, &re)
			require.NoError(t, q.Shutdown(t.Context()))
			require.NoError(t, dead.ExpectEnd(t))
		})
	})
	t.Run("a worker that is slow, goes, or is none", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", &event.QueueConfig[int]{AckTimeout: time.Minute})
			done := record(t, observable.Observable[event.Job[int]](q))
			hang := func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }
			client, server := s.conns(nil)
			wrong := record(t, server.Errors())
			none := q.Work(server, 5)
			connect(client, server)
			q.Next(0)
			settle()
			<-none.Done()
			var re *event.RemoteError
			require.Len(t, wrong.Values(), 1)
			require.ErrorAs(t, wrong.Values()[0], &re)
			assert.Equal(t, event.CodeUnknownType, re.Code)
			assert.Equal(t, `queue "job": 1 waiting, 0 under way`, q.String(), "it answers no such question")
			slow, working := s.worker(q, 5, hang)
			settle()
			assert.Equal(t, `queue "job": 0 waiting, 1 under way`, q.String())
			working.Unsubscribe()
			var work log
			lost, _ := s.worker(q, 5, func(ctx context.Context, n int) error { work.add("lost ", n); return hang(ctx, n) })
			time.Sleep(time.Minute)
			assert.Equal(t, []string{"lost 0"}, work.all(), "the time of the slow one is over")
			lost.CloseNow()
			settle()
			assert.Equal(t, `queue "job": 1 waiting, 0 under way`, q.String())
			s.worker(q, 5, func(context.Context, int) error { return nil })
			settle()
			require.Len(t, done.Values(), 1)
			assert.Equal(t, 3, done.Values()[0].Attempts, "one that is no worker does not count")
			assert.Equal(t, wsource.Open, slow.State())
			require.NoError(t, q.Shutdown(t.Context()))
		})
	})
	t.Run("a worker that is busy", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue("job", &event.QueueConfig[int]{Attempts: 2})
			done, dead := record(t, observable.Observable[event.Job[int]](q)), record(t, q.DeadLetters())
			a, b := s.pair()
			far, near := event.New(a, &event.Config{MaxAnswers: 2}), event.New(b, nil)
			event.Answer(far, "job", func(context.Context, int) (int, error) { time.Sleep(10 * time.Second); return 0, nil })
			asked := record(t, far.Errors())
			q.Work(near, 4)
			connect(far, near)
			for n := range 6 {
				q.Next(n)
			}
			time.Sleep(time.Second / 2)
			assert.Equal(t, `queue "job": 4 waiting, 2 under way`, q.String())
			require.NoError(t, q.Shutdown(within(t, time.Minute)))
			assert.ElementsMatch(t, []int{0, 1, 2, 3, 4, 5}, values(done.Values()))
			assert.Empty(t, dead.Values())
			for _, j := range done.Values() {
				assert.Equal(t, 1, j.Attempts)
			}
			assert.Empty(t, asked.Values())
		})
	})
	t.Run("a worker leaves in peace", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", nil)
			done := record(t, observable.Observable[event.Job[int]](q))
			_, working := s.worker(q, 2, func(context.Context, int) error { time.Sleep(time.Second); return nil })
			for i := range 4 {
				q.Next(i)
			}
			settle()
			working.Unsubscribe()
			time.Sleep(time.Minute)
			assert.Len(t, done.Values(), 2)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			dead := record(t, q.DeadLetters())
			require.ErrorIs(t, q.Shutdown(ctx), context.DeadlineExceeded)
			assert.ElementsMatch(t, []int{2, 3}, values(dead.Values()))
		})
	})
	t.Run("the order of a key", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", &event.QueueConfig[int]{
				Attempts: 100,
				Key: func(n int) string {
					if n == 99 {
						panic("no key")
					}
					return []string{"", "a", "b"}[n%3]
				},
			})
			dead := record(t, q.DeadLetters())
			var (
				mu   sync.Mutex
				busy = make(map[int]bool)
				last = map[int]int{1: -1, 2: -1}
			)
			for w := range 4 {
				random := rand.New(rand.NewPCG(7, uint64(w)))
				s.worker(q, 3, func(_ context.Context, n int) error {
					mu.Lock()
					key, fails, wait := n%3, random.IntN(3) == 0, time.Duration(random.IntN(100))*time.Millisecond
					assert.False(t, busy[key] && key > 0, "one at a time")
					busy[key] = true
					mu.Unlock()
					time.Sleep(wait)
					mu.Lock()
					defer mu.Unlock()
					busy[key] = false
					if fails {
						return errors.New("not now")
					}
					if key > 0 {
						assert.Greater(t, n, last[key], "in their order")
						last[key] = n
					}
					return nil
				})
			}
			for i := range 90 {
				q.Next(i)
			}
			q.Next(99)
			require.NoError(t, q.Shutdown(t.Context()))
			assert.Equal(t, map[int]int{1: 88, 2: 89}, last)
			require.Len(t, dead.Values(), 1)
			var pe *observable.PanicError
			require.ErrorAs(t, dead.Values()[0].Err, &pe)
		})
	})
	t.Run("a bound", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", &event.QueueConfig[int]{MaxWaiting: 2})
			done := record(t, observable.Observable[event.Job[int]](q))
			added := make(chan error, 1)
			require.NoError(t, q.Add(t.Context(), 0))
			require.NoError(t, q.Add(t.Context(), 1))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorIs(t, q.Add(ctx, 2), context.DeadlineExceeded)
			go func() { added <- q.Add(context.Background(), 3) }()
			settle()
			assert.Empty(t, added)
			s.worker(q, 1, func(context.Context, int) error { return nil })
			require.NoError(t, <-added)
			require.NoError(t, q.Shutdown(t.Context()))
			assert.ElementsMatch(t, []int{0, 1, 3}, values(done.Values()))
			var ae *observable.ArgumentError
			require.ErrorAs(t, event.NewQueue[int]("", nil).Add(t.Context(), 1), &ae)
			require.ErrorAs(t, event.NewQueue("job", &event.QueueConfig[int]{Attempts: -1}).Add(t.Context(), 1), &ae)
		})
	})
	t.Run("workers come, fail and are killed at random", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", &event.QueueConfig[int]{Attempts: 1000, MaxWaiting: 10, AckTimeout: time.Second})
			done := record(t, observable.Observable[event.Job[int]](q))
			stop := make(chan struct{})
			var killing sync.WaitGroup
			var mu sync.Mutex
			worked := make(map[int]int)
			for range 4 {
				killing.Go(func() {
					for {
						socket, _ := s.worker(q, 1+rand.IntN(4), func(ctx context.Context, n int) error {
							wait, fate := time.Duration(rand.IntN(30))*time.Millisecond, rand.IntN(10)
							time.Sleep(wait)
							switch fate {
							case 0:
								return errors.New("failed")
							case 1:
								<-ctx.Done()
								return ctx.Err()
							}
							mu.Lock()
							defer mu.Unlock()
							worked[n]++
							return nil
						})
						time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
						select {
						case <-stop:
							return
						default:
							socket.CloseNow()
						}
					}
				})
			}
			for i := range 200 {
				q.Next(i)
			}
			require.NoError(t, q.Shutdown(t.Context()))
			close(stop)
			killing.Wait()
			assert.Len(t, done.Values(), 200, "each is done once, as far as the queue is told")
			mu.Lock() // a killed worker may still work
			defer mu.Unlock()
			assert.Len(t, worked, 200)
			assert.Equal(t, `queue "job": 0 waiting, 0 under way`, q.String())
		})
	})
}
