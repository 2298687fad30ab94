package wsource_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

func TestStatusCodeNames(t *testing.T) {
	names := map[string]bool{}
	for code := wsource.StatusCode(1000); code <= 1015; code++ {
		if code == 1004 {
			continue
		}
		name := code.String()
		assert.Regexp(t, `^\d{4} [a-zA-Z ]+$`, name)
		assert.False(t, names[name])
		names[name] = true
	}
	assert.Equal(t, "1001 going away", wsource.StatusGoingAway.String())
	assert.Equal(t, "4321", wsource.StatusCode(4321).String())
}

func TestNamesOfWhatIsNot(t *testing.T) {
	assert.Equal(t, "open closing closed closed", strings.Join([]string{
		wsource.Open.String(), wsource.Closing.String(), wsource.Closed.String(), wsource.State(200).String(),
	}, " "))
	assert.Equal(t, "text binary binary", strings.Join([]string{
		wsource.Text.String(), wsource.Binary.String(), wsource.MessageType(200).String(),
	}, " "))
	assert.Equal(t, "unsent unknown unknown", strings.Join([]string{
		wsource.Unsent.String(), wsource.Unknown.String(), wsource.Outcome(200).String(),
	}, " "))
}

func TestTrimReason(t *testing.T) {
	long := strings.Repeat("x", 122)
	for text, want := range map[string]string{
		"":                       "",
		"short":                  "short",
		long + "x":               long + "x",
		long + "xy":              long + "x",
		long + "é":               long,
		long[:121] + "é!":        long[:121] + "é",
		"bad \xFF byte":          "bad \uFFFD byte",
		strings.Repeat("é", 100): strings.Repeat("é", 61),
	} {
		assert.Equal(t, want, wsource.TrimReason(text))
	}
}

func FuzzTrimReason(f *testing.F) {
	f.Add("plain")
	f.Add(strings.Repeat("é", 62) + "\xFF")
	f.Fuzz(func(t *testing.T, text string) {
		got := wsource.TrimReason(text)
		require.True(t, utf8.ValidString(got))
		require.LessOrEqual(t, len(got), wsource.MaxReason)
		if utf8.ValidString(text) {
			require.True(t, strings.HasPrefix(text, got))
			if len(text) <= wsource.MaxReason {
				require.Equal(t, text, got)
			} else {
				require.Greater(t, len(got), wsource.MaxReason-utf8.UTFMax)
			}
		}
		require.Equal(t, got, wsource.TrimReason(got))
	})
}
