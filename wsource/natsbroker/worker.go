package natsbroker

import (
	"sync"

	"github.com/nats-io/nats.go"
)

// waitingMessages is how many messages wait for a worker before add waits, too.
const waitingMessages = 64

// worker handles messages one after the other, on a goroutine of its own that user code
// may end. The goroutine lives only while messages come. A goroutine for each message
// would more than double the processor time of an event of another node
// (BenchmarkEventOfAnotherNode).
type worker struct {
	handle func(*nats.Msg)

	mu      sync.Mutex
	room    sync.Cond // there is room for a message, or the worker is stopped
	waiting []*nats.Msg
	works   bool // there is a goroutine
	stopped bool
}

// start has handle called with each message from now on.
func (w *worker) start(handle func(*nats.Msg)) {
	w.handle = handle
	w.room.L = &w.mu
}

// stop drops the messages that wait. One that is being handled still may be.
func (w *worker) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting, w.stopped = nil, true
	w.room.Broadcast()
}

// add has a message handled after the earlier ones. It waits while too many wait.
func (w *worker) add(m *nats.Msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.waiting) >= waitingMessages {
		w.room.Wait()
	}
	if w.stopped {
		return
	}
	w.waiting = append(w.waiting, m)
	if !w.works {
		w.works = true
		go w.work()
	}
}

// work handles the messages that wait. If user code ends the goroutine, another one goes
// on with the next message.
func (w *worker) work() {
	returned := false
	defer func() {
		if !returned {
			go w.work()
		}
	}()
	for m := w.next(); m != nil; m = w.next() {
		w.handle(m)
	}
	returned = true
}

// next takes out the message that has waited longest. If there is none, it returns nil,
// and the goroutine ends.
func (w *worker) next() *nats.Msg {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		w.waiting, w.works = nil, false
		return nil
	}
	m := w.waiting[0]
	w.waiting[0] = nil
	w.waiting = w.waiting[1:]
	w.room.Signal()
	return m
}
