package observable_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

func ExampleLines() {
	show(observable.Lines(strings.NewReader("to\nread\r\nquickly")))
	// Output: to read quickly done
}

func TestLines(t *testing.T) {
	longest := strings.Repeat("x", observable.MaxLine)
	for _, test := range []struct {
		name, text string
		want       []string
		err        string
	}{
		{"nothing", "", nil, ""},
		{"a line without an end", "a", []string{"a"}, ""},
		{"an empty line", "\n", []string{""}, ""},
		{"ends of both kinds", "a\r\n\nb\n", []string{"a", "", "b"}, ""},
		{"the longest line", longest + "\r\n" + longest, []string{longest, longest}, ""},
		{"a longer line", "a\n" + longest + "x\nb", []string{"a"}, "observable: line 2 is longer than 1048576 bytes"},
		{"a much longer line", longest + "xxx", nil, "observable: line 1 is longer than 1048576 bytes"},
		{"a longer line at the end", "a\nb\n" + longest + "x", []string{"a", "b"}, "observable: line 3 is longer than 1048576 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := observable.Collect(t.Context(), observable.Lines(strings.NewReader(test.text)))
			assert.Equal(t, len(test.want), len(got))
			for i := range min(len(test.want), len(got)) {
				// The message leaves out the text of a long line.
				assert.True(t, test.want[i] == got[i], "line %d", i+1)
			}
			if test.err == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, test.err)
			var long *observable.LineError
			require.ErrorAs(t, err, &long)
		})
	}
}

func TestLinesFail(t *testing.T) {
	failing := io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(errBoom))
	out, sub := record(t.Context(), observable.Lines(failing))
	<-sub.Done()
	assert.Equal(t, []string{"a", "b", "error: boom"}, out.Log())
	out, sub = record(t.Context(), observable.Lines(nil))
	<-sub.Done()
	assert.Equal(t, []string{"error: observable.Lines: argument r is nil"}, out.Log())
}

// TestLinesUnsubscribe leaves a reader that waits: Done closes when its Read returns.
func TestLinesUnsubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		ctx, cancel := context.WithCancelCause(t.Context())
		out := observabletest.NewRecorder[string]()
		sub := observable.Lines(reader).Subscribe(ctx, out)
		_, err := io.WriteString(writer, "a\nb\nc")
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, []string{"a", "b"}, out.Log())
		cancel(errBoom)
		synctest.Wait()
		assert.Equal(t, []string{"a", "b", "error: boom"}, out.Log())
		select {
		case <-sub.Done():
			assert.Fail(t, "Read has not returned")
		default:
		}
		require.NoError(t, writer.Close())
		<-sub.Done()
		assert.Equal(t, []string{"a", "b", "error: boom"}, out.Log())
	})
}
