package observabletest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// fail subscribes to a stream that fails, without a listener.
func fail(t *testing.T, text string) {
	t.Helper()
	observable.Throw[int](errors.New(text)).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
}

func TestUnhandled(t *testing.T) {
	outer := observabletest.Unhandled(t)
	t.Run("records while the test lasts", func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		unhandled.Expect(t)
		assert.Empty(t, fmt.Sprint(unhandled))
		fail(t, "the first")
		fail(t, "the second")
		require.Len(t, unhandled.All(), 2)
		assert.Contains(t, unhandled.All()[0].Observer, "ObserverFuncs")
		unhandled.Expect(t, "the first", "second")
		assert.Regexp(t, `^the first \(unhandled; .*\nthe second \(unhandled; .*$`, fmt.Sprint(unhandled))
	})
	outer.Expect(t)
	fail(t, "later")
	outer.Expect(t, "later")
}

func TestUnhandledExpectFails(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	fail(t, "the first")
	fail(t, "the second")
	for _, test := range []struct {
		texts []string
		fails []string // with these
	}{
		{nil, []string{"0 is one too many: the first", "1 is one too many: the second"}},
		{[]string{"first"}, []string{"1 is one too many: the second"}},
		{[]string{"second", "first"}, []string{`0 does not contain "second": the first`, `1 does not contain "first"`}},
		{[]string{"first", "second", "third"}, []string{`no unhandled error contains "third": there were 2 in all`}},
	} {
		p := new(probe)
		unhandled.Expect(p, test.texts...)
		require.Len(t, p.lines, len(test.fails), "%q: %s", test.texts, p.failures())
		for i, text := range test.fails {
			assert.Contains(t, p.lines[i], text)
		}
	}
}
