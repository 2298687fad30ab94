package event

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource/internal/ends"
)

// The defaults of a [QueueConfig].
const (
	DefaultAckTimeout = 30 * time.Second
	DefaultAttempts   = 5
	DefaultMaxWaiting = 1024
)

// busyPause is how long a busy worker gets no job in place of the one refused.
const busyPause = time.Second

// QueueConfig configures a [Queue]. The zero value is the default.
type QueueConfig[T any] struct {
	// AckTimeout is how long a worker may take to acknowledge a job, before that is
	// handed on. Default: DefaultAckTimeout.
	AckTimeout time.Duration
	// Attempts is how often a worker gets a job before that is a dead letter; a busy
	// worker, and one that does not answer the type, do not count. Default:
	// DefaultAttempts.
	Attempts int
	// MaxWaiting is how many jobs may wait for a worker; beyond it, Add waits. Default:
	// DefaultMaxWaiting.
	MaxWaiting int
	// Key, if it is not nil, returns a job's key, or "" for none. Jobs with one key are
	// done in the order of Add. A panic of Key makes a dead letter of the job.
	Key func(value T) string
	// Broker, if it is not nil, keeps the jobs, and shares them among the nodes. Values
	// travel in JSON, as encoding/json has it. Default: the memory of this process.
	Broker QueueBroker
}

// Job is a value that was given to a [Queue].
type Job[T any] struct {
	ID       string // the same in every attempt: the worker finds it as Corr of Question
	Value    T
	Attempts int   // how often a worker has got it
	Err      error // error of the last attempt, of a dead letter
}

// ErrQueueShutdown says that a queue takes no more jobs.
var ErrQueueShutdown = errors.New("the queue is shut down")

// Queue gives each value to one of a group of workers, as a question that the worker
// answers by [Answer] when the job is done. A job whose worker fails, takes too long or
// is lost is handed on. So a worker may get a job that another one has done; the job's ID
// tells. After too many attempts it is a dead letter.
//
// With a [QueueBroker] the jobs of all nodes are one queue, and outlive the nodes. Any
// node's workers do them; a node is told of the jobs that its own workers have done, or
// failed at for the last time. Jobs that a node leaves undone pass to the others.
//
// A Queue is an observer of jobs and an observable of those that are done. The completion
// of a stream that it observes changes nothing; an error of one is reported to
// [observable.OnUnhandled]. Without a Broker, the jobs are in memory. [NewQueue] makes
// it.
type Queue[T any] struct {
	typ     string
	config  QueueConfig[T]
	problem error
	done    observable.Subject[Job[T]]
	dead    observable.Subject[Job[T]]
	ctx     context.Context // context of all attempts
	cancel  context.CancelCauseFunc
	ends    ends.Ends       // of the observers
	taking  context.Context // ends when no more jobs are taken from the Broker
	stop    context.CancelFunc

	mu       interleave.Mutex
	changed  interleave.Cond
	ready    list.List             // of *job, the jobs ready for a worker
	keys     map[string]*[]*job[T] // jobs behind a ready or running one, by key
	waiting  int                   // jobs that no worker has
	running  int                   // jobs that a worker has
	telling  int                   // jobs that are over, while observers are told
	burying  int                   // dead letters among these
	left     []*job[T]             // failed after the queue gave up: for Shutdown
	free     list.List             // of *worker: may get a job; first, the longest free
	shutdown bool
	over     chan struct{} // closes when the first Shutdown returns
	err      error         // error that it returns
	pulling  bool          // a goroutine takes jobs from the Broker
	stuck    bool          // the Broker gives no jobs any more
}

// job is a job that is not done.
type job[T any] struct {
	Job[T]

	key  string
	last *worker // worker that has failed at it
	err  error   // error of the last attempt, if Shutdown tells it

	stored StoredJob // the Broker's form of it
}

// worker is one of the group of workers.
type worker struct {
	conn   *Conn
	credit int           // how many more jobs it may get
	place  *list.Element // place in free, or nil
	gone   bool

	working *observable.Emitter[struct{}] // to the subscription of Work
}

// NewQueue returns a queue whose jobs are questions of a type. A nil config is the
// default. A wrong argument is an [*observable.ArgumentError], the error of each Add.
func NewQueue[T any](typ string, config *QueueConfig[T]) *Queue[T] {
	q := &Queue[T]{
		typ: typ, keys: make(map[string]*[]*job[T]), over: make(chan struct{}), problem: checkType("NewQueue", typ),
	}
	q.ctx, q.cancel = context.WithCancelCause(context.Background())
	q.taking, q.stop = context.WithCancel(q.ctx) //nolint:gosec // Shutdown calls it
	q.changed.L = &q.mu
	if config != nil {
		q.config = *config
	}
	c := &q.config
	if c.AckTimeout < 0 || c.Attempts < 0 || c.MaxWaiting < 0 {
		q.problem = argument("NewQueue", "config", "has a negative bound")
	}
	c.AckTimeout = cmp.Or(c.AckTimeout, DefaultAckTimeout)
	c.Attempts = cmp.Or(c.Attempts, DefaultAttempts)
	c.MaxWaiting = cmp.Or(c.MaxWaiting, DefaultMaxWaiting)
	return q
}

// Work has the peer of conn work for the queue, on up to credit jobs at a time, until the
// returned subscription ends, the Conn does, or the peer does not answer the type:
// Conn.Errors then tells its [*RemoteError]. The end of the subscription leaves the
// worker the jobs that it has; the end of the Conn hands them on.
//
// A peer may answer CodeBusy, as it takes fewer questions at a time (Config.MaxAnswers).
// Then it gets no job in place of that one for a second, and the job has had no attempt.
func (q *Queue[T]) Work(conn *Conn, credit int) observable.Subscription {
	conn = given(conn, "Queue.Work")
	return observable.Subscribe[struct{}](context.Background(), observable.AttachFunc[struct{}](
		func(sc *observable.Scope, down observable.Stage[struct{}]) {
			problem := cmp.Or(q.problem, conn.problem)
			if problem == nil && credit <= 0 {
				problem = argument("Queue.Work", "credit", fmt.Sprint("is not positive: ", credit))
			}
			if problem != nil {
				down.Error(problem)
				return
			}
			w := &worker{conn: conn, credit: credit, working: observable.NewEmitter(sc, down)}
			sc.OnClose(func() { q.dismiss(w) })
			conn.whenConnected(func() {
				q.mu.Lock()
				defer q.mu.Unlock()
				q.offer(w)
			})
			conn.life.AttachTo(sc, down)
		}), observable.ObserverFuncs[struct{}]{OnError: conn.report})
}

// Add adds a job, and waits while too many jobs wait. The error is ErrQueueShutdown, the
// cause of the end of ctx, or the Broker's. Without an error the job is in the queue.
func (q *Queue[T]) Add(ctx context.Context, value T) error {
	switch {
	case q.problem != nil:
		return q.problem
	case ctx == nil:
		return argument("Queue.Add", "ctx", isNil)
	}
	j := &job[T]{Job: Job[T]{ID: NewID(), Value: value}}
	if q.config.Key != nil {
		if err := guarded(func() error { j.key = q.config.Key(value); return nil }); err != nil {
			return q.refuse(j, err)
		}
	}
	if q.config.Broker != nil {
		return q.add(ctx, j)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting >= q.config.MaxWaiting && ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.changed.Broadcast()
		})
		defer stop()
	}
	for q.waiting >= q.config.MaxWaiting && !q.shutdown && ctx.Err() == nil {
		q.changed.Wait()
	}
	switch {
	case q.shutdown:
		return ErrQueueShutdown
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	q.waiting++
	if behind := q.keys[j.key]; behind != nil && j.key != "" {
		*behind = append(*behind, j)
		return nil
	}
	if j.key != "" {
		q.keys[j.key] = new([]*job[T])
	}
	q.ready.PushBack(j)
	q.assign()
	return nil
}

// refuse makes a dead letter of a job that is not in the queue yet.
func (q *Queue[T]) refuse(j *job[T], err error) error {
	q.mu.Lock()
	if q.shutdown {
		q.mu.Unlock()
		return ErrQueueShutdown
	}
	q.tellOne(err)
	q.mu.Unlock()
	defer q.toldOne(err) // even when an observer ends the goroutine
	q.bury(j, err)
	return nil
}

// Next adds a job. A failure is reported to [observable.OnUnhandled].
func (q *Queue[T]) Next(value T) {
	if err := q.Add(context.Background(), value); err != nil {
		observable.ReportUnhandled(err, q)
	}
}

// Error reports err to [observable.OnUnhandled].
func (q *Queue[T]) Error(err error) { observable.ReportUnhandled(err, q) }

// Complete does nothing.
func (q *Queue[T]) Complete() {}

// Subscribe has observer get the jobs done from now on. It completes with Shutdown.
func (q *Queue[T]) Subscribe(ctx context.Context, observer observable.Observer[Job[T]]) observable.Subscription {
	return observable.Subscribe(ctx, q, observer)
}

// AttachTo adds a stage that gets the jobs that are done (see [observable.Attacher]).
func (q *Queue[T]) AttachTo(sc *observable.Scope, down observable.Stage[Job[T]]) {
	q.attach(&q.done, sc, down)
}

// DeadLetters returns the observable of the jobs that were given up, with the error of
// the last attempt. It is hot, and completes with Shutdown. Without a subscriber, a dead
// letter is reported to [observable.OnUnhandled].
func (q *Queue[T]) DeadLetters() observable.Observable[Job[T]] {
	return observable.AttachFunc[Job[T]](func(sc *observable.Scope, down observable.Stage[Job[T]]) {
		q.attach(&q.dead, sc, down)
	})
}

// Shutdown has the queue take no more jobs, and waits until each is done or a dead
// letter. If ctx ends before, the attempts under way are given up, and the jobs left are
// dead letters with the cause, which Shutdown returns. Then the observables complete.
// Until ctx ends, Shutdown waits until the observers have heard of each job and of the
// completion; an observer that is being told of a job and calls it waits that long. A
// slower one hears of the rest, and of the completion, after Shutdown has returned.
//
// A second Shutdown waits for the first one, and returns its error, or the cause of the
// end of its own ctx if that comes before.
//
// With a Broker it waits for the attempts of this node only, and leaves the other jobs to
// the other nodes.
func (q *Queue[T]) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return argument("Queue.Shutdown", "ctx", isNil)
	}
	q.mu.Lock()
	if q.shutdown {
		q.mu.Unlock()
		return q.awaitOver(ctx)
	}
	q.shutdown = true
	q.mu.Unlock()
	defer close(q.over)
	stop := context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.changed.Broadcast()
	})
	defer stop()
	q.mu.Lock()
	q.stop()
	q.changed.Broadcast()
	for q.pulling || q.waitingHere()+q.running+q.telling > 0 && ctx.Err() == nil {
		q.changed.Wait()
	}
	if q.waitingHere()+q.running+q.telling > 0 {
		q.err = context.Cause(ctx)
	}
	held, buried := q.telling > 0, q.burying > 0 // by observers, which may be slow
	q.cancel(cmp.Or(q.err, ErrQueueShutdown))
	left := q.giveUp()
	for q.running > 0 { // each of them ends with its context
		q.changed.Wait()
	}
	left = append(left, q.left...)
	q.left = nil
	q.mu.Unlock()
	switch {
	case buried:
		go q.finish(left)
	case held: // maybe by the caller: its goroutine tells the rest
		defer func() { go q.complete() }()
		q.tellLeft(left)
	default:
		q.finish(left)
		// Jobs may still wait at a busy observer, although each call of Next has returned.
		if err := q.ends.Await(ctx); err != nil {
			q.err = err
		}
	}
	return q.err
}

// awaitOver waits for the first Shutdown.
func (q *Queue[T]) awaitOver(ctx context.Context) error {
	select {
	case <-q.over:
	default:
		select {
		case <-q.over:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return q.err
}

// giveUp takes out the waiting jobs, and returns those to tell of; mu is held.
func (q *Queue[T]) giveUp() []*job[T] {
	left := q.takeAll()
	if q.config.Broker == nil {
		for _, j := range left {
			j.err = q.err
		}
		return left
	}
	for _, j := range left {
		q.running++
		go q.giveBack(j)
	}
	return nil
}

// waitingHere returns how many jobs without a worker Shutdown waits for; mu is held.
func (q *Queue[T]) waitingHere() int {
	if q.config.Broker != nil {
		return 0 // another node's workers do them
	}
	return q.waiting
}

// takeAll takes out the waiting jobs; mu is held.
func (q *Queue[T]) takeAll() (all []*job[T]) {
	for e := q.ready.Front(); e != nil; e = e.Next() {
		j, _ := e.Value.(*job[T])
		all = append(all, j)
	}
	for _, behind := range q.keys {
		all = append(all, *behind...)
	}
	q.ready.Init()
	clear(q.keys)
	q.waiting = 0
	return all
}

// String tells how many jobs wait, and how many are under way.
func (q *Queue[T]) String() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return fmt.Sprintf("queue %q: %d waiting, %d under way", q.typ, q.waiting, q.running)
}

// GoString is String: a format that looks into a queue would race with its goroutines.
func (q *Queue[T]) GoString() string { return q.String() }
