package observabletest

import (
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
	"time"
)

// Span is the life of a subscription to a [Source], in the time of that source.
type Span struct {
	From  time.Duration // its beginning
	Until time.Duration // its end, 0 if it is open
	Open  bool          // whether it lasts
}

// String returns the span as a marble string, as "^--!", or "^" if it is open.
func (s Span) String() string {
	marks := []Mark{{At: s.From, Symbol: symbolSubscribe}}
	if !s.Open {
		marks = append(marks, Mark{At: s.Until, Symbol: symbolUnsubscribe})
	}
	var w marbleWriter
	w.write(marks)
	return w.String()
}

// Subscriptions returns all subscriptions to the source, in the order in which they
// began.
func (s *Source[V]) Subscriptions() []Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	spans := make([]Span, len(s.all))
	for i, sub := range s.all {
		spans[i] = sub.span
	}
	return spans
}

// ExpectSubscriptions compares the subscriptions to the source with marbles, one for each
// in the order in which they began, and reports whether they are the same; if not, the
// test fails. In the first frame the source was made. ^ is the subscription and ! its
// end, by unsubscription or otherwise; without ! it is still open.
//
//	src.ExpectSubscriptions("^--!", "---^--!")
//
// It calls synctest.Wait first, so that all events that are due have happened.
func (s *Source[V]) ExpectSubscriptions(marbles ...string) bool {
	s.t.Helper()
	want := make([]Span, len(marbles))
	for i, marble := range marbles {
		span, err := parseSpan(marble)
		if err != nil {
			s.t.Fatal(err)
		}
		want[i] = span
	}
	synctest.Wait()
	got := s.Subscriptions()
	if slices.Equal(got, want) {
		return true
	}
	s.t.Errorf("observabletest: the subscriptions to the %s are not those expected\nexpected:%s\ngot:%s",
		s.name, listed(want), listed(got))
	return false
}

func parseSpan(marble string) (Span, error) {
	m, err := ParseMarble(marble)
	if err != nil {
		return Span{}, err
	}
	span, found := Span{Open: true}, false
	for _, mark := range m.Marks {
		switch mark.Symbol {
		case symbolSubscribe:
			span.From, found = mark.At.Round(resolution), true
		case symbolUnsubscribe:
			span.Until, span.Open = mark.At.Round(resolution), false
		default:
			return Span{}, m.fault(mark, fmt.Sprintf("%q in the marble of a subscription", mark.Symbol))
		}
	}
	if !found {
		return Span{}, &MarbleError{marble, 0, "no ^ in the marble of a subscription"}
	}
	return span, nil
}

// listed returns spans, each in a line of its own.
func listed(spans []Span) string {
	if len(spans) == 0 {
		return " none"
	}
	var out strings.Builder
	for _, span := range spans {
		fmt.Fprintf(&out, "\n    %v", span)
	}
	return out.String()
}
