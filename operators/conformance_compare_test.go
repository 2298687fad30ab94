package operators_test

import (
	"fmt"
	"slices"
	"strings"
)

// result is the record of a run.
type result struct {
	subscribers   [][]event
	subscriptions [][]span
	log           []map[string]any
	undone        int // subscriptions whose Done was not closed after Unsubscribe
}

// compare returns the differences between the records of RxJS and of this run, or "".
func (v *vector) compare(got result) string {
	var out strings.Builder
	expected := [][]event{v.Expect.Events}
	if v.Subscribers != nil {
		expected = expected[:0]
		for _, s := range v.Expect.Subscribers {
			expected = append(expected, s.Events)
		}
	}
	for i := range max(len(expected), len(got.subscribers)) {
		label := "events"
		if v.Subscribers != nil {
			label = fmt.Sprintf("events of subscriber %d", i)
		}
		contrast(&out, label, lines(at(expected, i)), lines(at(got.subscribers, i)))
	}
	for i := range max(len(v.Expect.Subscriptions), len(got.subscriptions)) {
		want, have := at(v.Expect.Subscriptions, i), at(got.subscriptions, i)
		switch {
		case v.Transient && v.Sources[i].Kind != "sync":
			want, have = lasting(want), lasting(have)
		case v.Transient && v.UnsubscribeAt != nil && len(have) == 0 && len(lasting(want)) == 0:
			// When onErrorResumeNext is unsubscribed, RxJS touches the remaining sources:
			// it runs their subscribe functions with a closed subscriber. Here nothing is
			// subscribed to for a subscription that has ended, since a subscription may
			// dial a connection.
			want = slices.DeleteFunc(slices.Clone(want), func(s span) bool { return s.Sub == *v.UnsubscribeAt })
		}
		contrast(&out, fmt.Sprintf("subscriptions to source %d", i), lines(want), lines(have))
	}
	if v.Expect.Log != nil {
		contrast(&out, "log", logLines(v.Expect.Log), logLines(got.log))
	}
	if got.undone > 0 {
		fmt.Fprintf(&out, "subscriptions that are not done after Unsubscribe: %d\n", got.undone)
	}
	return out.String()
}

func at[T any](lists [][]T, i int) []T {
	if i < len(lists) {
		return lists[i]
	}
	return nil
}

// lasting leaves out the subscriptions that began and ended in one frame.
func lasting(spans []span) []span {
	return slices.DeleteFunc(slices.Clone(spans), func(s span) bool {
		return s.Unsub != nil && *s.Unsub == s.Sub
	})
}

func lines[T fmt.Stringer](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = v.String()
	}
	return out
}

func logLines(list []map[string]any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = encode(v)
	}
	return out
}

// contrast writes the two lists, in one column where they agree, if they differ.
func contrast(out *strings.Builder, label string, want, got []string) {
	if slices.Equal(want, got) {
		return
	}
	fmt.Fprintf(out, "%s: - expected, + got\n", label)
	same := 0
	for same < len(want) && same < len(got) && want[same] == got[same] {
		fmt.Fprintf(out, "    %s\n", want[same])
		same++
	}
	for _, line := range want[same:] {
		fmt.Fprintf(out, "  - %s\n", line)
	}
	for _, line := range got[same:] {
		fmt.Fprintf(out, "  + %s\n", line)
	}
}

// describe writes the actions of the case.
func (v *vector) describe() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s args %s\n", v.ID, encode(v.Args))
	for i, s := range v.Sources {
		fmt.Fprintf(&out, "source %d, %s:", i, s.Kind)
		for _, e := range s.Events {
			fmt.Fprintf(&out, " %s;", strings.TrimSpace(e.String()))
		}
		out.WriteByte('\n')
	}
	for i, s := range v.spans() {
		fmt.Fprintf(&out, "subscriber %d from %d", i, s.At)
		if s.Until != nil {
			fmt.Fprintf(&out, " until %d", *s.Until)
		}
		out.WriteByte('\n')
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// spans returns the frames in which the test subscribes and unsubscribes.
func (v *vector) spans() []span {
	if v.Subscribers != nil {
		return v.Subscribers
	}
	return []span{{At: 0, Until: v.UnsubscribeAt}}
}
