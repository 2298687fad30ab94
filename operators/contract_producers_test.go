package operators_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// yielding is a hook that lets other goroutines in.
func yielding(v int) int {
	runtime.Gosched()
	return v
}

// produce has a goroutine for each of the observers emit n values into it, all at once,
// and waits for them. The values are all different; produce returns those of each
// goroutine.
func produce(t reporter, into []observable.Observer[int], n int) [][]int {
	var group sync.WaitGroup
	start, sent := make(chan struct{}), make([][]int, len(into))
	for i, o := range into {
		sent[i] = numbers(1000*i+1, n)
		group.Go(func() {
			<-start
			for _, v := range sent[i] {
				o.Next(v)
				if v%4 == 0 {
					// This lets the others come in between.
					time.Sleep(time.Duration(500+100*i) * time.Nanosecond)
				}
			}
		})
	}
	close(start)
	assert.True(t, waitFor(&group), "no producer waits for ever")
	return sent
}

// TestContractSeveralProducers has several goroutines emit into one Subject, which is the
// source.
func TestContractSeveralProducers(t *testing.T) {
	everyOperator(t, takesProducers)
	for name, e := range crossings {
		t.Run(name, func(t *testing.T) { inBubble(t, e, takesProducers) })
	}
}

func takesProducers(t reporter, e entry) {
	for _, producers := range []int{2, 4} {
		var subject observable.Subject[int]
		into := make([]observable.Observer[int], producers)
		for i := range into {
			into[i] = &subject
		}
		takes(t, e, &subject, into, yielding)
	}
}

// TestContractSeveralSubjects has several goroutines emit into a Subject each. The source
// is the Merge of them, as it is and as an observable from elsewhere.
func TestContractSeveralSubjects(t *testing.T) {
	everyOperator(t, takesSubjects)
	for name, e := range crossings {
		t.Run(name, func(t *testing.T) { inBubble(t, e, takesSubjects) })
	}
}

func takesSubjects(t reporter, e entry) {
	for _, producers := range []int{2, 4} {
		source, into := mergedSubjects(producers)
		takes(t, e, source, into, yielding)
		source, into = mergedSubjects(producers)
		takes(t, e, foreign{source}, into, yielding)
	}
}

// mergedSubjects returns n subjects and the stream of all their values.
func mergedSubjects(n int) (all stream, into []observable.Observer[int]) {
	var sources []stream
	for range n {
		subject := &observable.Subject[int]{}
		into, sources = append(into, subject), append(sources, subject)
	}
	return operators.Merge(sources...), into
}

// TestContractSlowObserver has an observer take longer for a value than the source.
func TestContractSlowObserver(t *testing.T) { everyOperator(t, takesItsTime) }

func takesItsTime(t reporter, e entry) {
	var subject observable.Subject[int]
	slowly := func(v int) {
		if v != border { // some operators emit borders as time passes
			time.Sleep(2300 * time.Microsecond)
		}
	}
	takesAt(t, e, &subject, []observable.Observer[int]{&subject}, 5, slowly, passTrial)
}

// takes has producers emit, and judges the result by the entry's law.
func takes(t reporter, e entry, source stream, into []observable.Observer[int], h hook) {
	takesAt(t, e, source, into, 64, func(int) { runtime.Gosched() }, h)
}

func takesAt(
	t reporter, e entry, source stream, into []observable.Observer[int], n int, onNext func(int), h hook,
) {
	src, got := watch(source), observabletest.NewRecorder[int]().OnNext(onNext)
	sub := e.apply(src, h).Subscribe(context.Background(), got)
	time.Sleep(startTrial)
	sent := produce(t, into, n)
	time.Sleep(3 * msTrial)
	for _, o := range into {
		o.Complete()
	}
	_, end := split(e.runs[5])
	assert.Equal(t, end != "", finish(t, sub), "the subscription is over when the source is")
	obeys(t, got, src)
	_, ended := split(textOf(got))
	assert.Equal(t, end, ended, "it ends as it does with one producer")
	e.law(t, got.Values(), sent)
}
