package operators

import (
	"slices"

	"github.com/rxsocket/rxsocket/observable"
)

// BufferCount collects the values into slices of count.
//
//	src:            --1--2--3--4--5--|
//	BufferCount(2): -----[12]--[34]--([5]|)
//
// On completion it emits the collected values, if there are any. An error drops them.
// Each slice is fresh and belongs to the receiver. RxJS: bufferCount. See also
// [BufferCountEvery], [WindowCount], [BufferTime].
func BufferCount[T any](src observable.Observable[T], count int) observable.Observable[[]T] {
	if count <= 0 {
		return invalid[[]T]("BufferCount", "count", notPositive(count))
	}
	return bufferCount(src, count, count)
}

// BufferCountEvery is [BufferCount] with a slice that begins at every every-th value. If
// every is less than count, the slices overlap; if it is more, values between them are
// left out.
//
//	src:                    --1--2--3-------4------|
//	BufferCountEvery(3, 1): --------[123]---[234]--([34][4]|)
//
// On completion it emits the open slices, the oldest first. Slices share no memory.
func BufferCountEvery[T any](src observable.Observable[T], count, every int) observable.Observable[[]T] {
	switch {
	case count <= 0:
		return invalid[[]T]("BufferCountEvery", "count", notPositive(count))
	case every <= 0:
		return invalid[[]T]("BufferCountEvery", "every", notPositive(every))
	}
	return bufferCount(src, count, every)
}

func bufferCount[T any](src observable.Observable[T], count, every int) observable.Observable[[]T] {
	return observable.AttachFunc[[]T](func(sc *observable.Scope, down observable.Stage[[]T]) {
		open := buffers[T]{room: min(count, mostRoom)}
		next := 0 // number of values until the next buffer opens
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if next == 0 {
					next = every
					open.open()
				}
				next--
				if open.add(v); open.oldest() == count {
					down.Next(open.take(0))
				}
			},
			Terminal: &ending[[]T]{sc: sc, down: down, complete: func() { open.flush(sc, down) }},
		})
	})
}

// mostRoom is the limit of places reserved for a buffer of known size.
const mostRoom = 1024

// buffers holds the values of all open buffers. Each buffer has the values since it
// opened, so all of them are tails of one list, which is kept once.
type buffers[T any] struct {
	values []T
	starts []int // index in values of each open buffer, the oldest first; that one is 0
	room   int   // number of places to reserve for a buffer
}

func (b *buffers[T]) open() { b.starts = append(b.starts, len(b.values)) }

// add gives v to all open buffers.
func (b *buffers[T]) add(v T) {
	if len(b.starts) == 0 {
		return
	}
	if b.values == nil {
		b.values = make([]T, 0, b.room)
	}
	b.values = append(b.values, v)
}

// oldest returns the number of values in the oldest open buffer, or 0 if no buffer is
// open.
func (b *buffers[T]) oldest() int { return len(b.values) }

// take closes open buffer i and returns its values, in a slice without another user.
func (b *buffers[T]) take(i int) []T {
	start := b.starts[i]
	b.starts = slices.Delete(b.starts, i, i+1)
	if len(b.starts) == 0 {
		values := b.values
		b.values = nil
		return filled(values)
	}
	values := filled(slices.Clone(b.values[start:]))
	if unused := b.starts[0]; unused > 0 {
		b.values = slices.Delete(b.values, 0, unused)
		for i := range b.starts {
			b.starts[i] -= unused
		}
	}
	return values
}

// renew closes the one open buffer, opens the next and returns the values of the first.
func (b *buffers[T]) renew() []T {
	values := b.take(0)
	b.open()
	return values
}

// flush emits the open buffers, the oldest first, and completes.
func (b *buffers[T]) flush(sc *observable.Scope, down observable.Stage[[]T]) {
	for len(b.starts) > 0 && sc.Open() {
		down.Next(b.take(0))
	}
	if sc.Open() {
		down.Complete()
	}
}

// filled returns values, or an empty slice if values is nil: an empty buffer is not a
// missing one.
func filled[T any](values []T) []T {
	if values == nil {
		return []T{}
	}
	return values
}
