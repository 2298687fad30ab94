package inspect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// hidden stands for a field that ShowJSON hides.
const hidden = "•••"

// ShowJSON returns a Show that shows values as JSON, without the content of fields that
// have one of the names, in any case and at any depth.
//
// A text message is shown as JSON; a text that is no JSON is shown by its length if there
// are names to hide. A binary message is shown by its length. Bytes in a value are shown
// as JSON if they are JSON, in the same way, and otherwise by their length. JSON in a
// string is shown without those fields, too. A string that is no JSON and gives such a
// name a value, as password=x or a log line with "password": "x", is shown by its length.
// An error is shown by its text, or by its LogValue.
func ShowJSON(hide ...string) func(name string, value any) string {
	names := make(map[string]bool, len(hide))
	for _, name := range hide {
		names[strings.ToLower(name)] = true
	}
	return func(_ string, value any) string {
		switch v := value.(type) {
		case error:
			return errorText(v)
		case wsource.Message:
			if v.Type == wsource.Binary {
				return fmt.Sprintf("binary, %d bytes", len(v.Data))
			}
			if !json.Valid(v.Data) && len(names) > 0 {
				return fmt.Sprintf("text, %d bytes", len(v.Data))
			}
			return redacted(v.Data, names)
		}
		data := bytesShown(value)
		if data == "" {
			return typeText(value)
		}
		return redacted([]byte(data), names)
	}
}

// redacted returns JSON without the content of the named fields.
func redacted(data []byte, names map[string]bool) string {
	if len(names) == 0 {
		return string(data)
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return hidden
	}
	return encoded(hide(value, names))
}

// encoded returns a value as JSON on one line, "" if it does not encode.
func encoded(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return ""
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// hide replaces the content of the named fields, at any depth.
func hide(value any, names map[string]bool) any {
	switch v := value.(type) {
	case map[string]any:
		for key, field := range v {
			if names[strings.ToLower(key)] {
				v[key] = hidden
			} else {
				v[key] = hide(field, names)
			}
		}
	case []any:
		for n := range v {
			v[n] = hide(v[n], names)
		}
	case string: // it may be JSON itself
		text := strings.TrimSpace(v)
		switch {
		case text != "" && strings.ContainsRune(`{["`, rune(text[0])) && json.Valid([]byte(v)):
			return redacted([]byte(v), names)
		case assigns(text, names):
			return fmt.Sprintf("%d bytes", len(v))
		}
	}
	return value
}

// assigns reports whether a text gives one of the names a value, as name=x or "name": x
// do.
func assigns(text string, names map[string]bool) bool {
	text = strings.ToLower(text)
	for name := range names {
		for _, rest := range strings.Split(text, name)[1:] {
			rest = strings.TrimLeft(rest, "\"'\\ \t")
			if strings.HasPrefix(rest, "=") || strings.HasPrefix(rest, ":") {
				return true
			}
		}
	}
	return false
}

// errorText returns the text of an error, or of the first slog.LogValuer in its chain,
// which may keep data out.
func errorText(err error) string {
	var valuer slog.LogValuer
	if errors.As(err, &valuer) {
		return valuer.LogValue().String()
	}
	return err.Error()
}

// typeText returns the type of a value, and the code of an error that closes a
// connection, too.
func typeText(value any) string {
	text := fmt.Sprintf("%T", value)
	if err, ok := value.(error); ok {
		if closed, ok := errors.AsType[*wsource.CloseError](err); ok {
			text += " " + closed.Code.String()
		}
	}
	return text
}

// text returns the text to show for a value of a stream.
func (i *Inspector) text(name string, value any) (text string) {
	if i.config.Show == nil {
		return bounded(typeText(value))
	}
	defer func() {
		if v := recover(); v != nil {
			text = "(Show has panicked)"
			i.broken.Do(func() { // a report for each value would be too many
				observable.ReportUnhandled(&observable.PanicError{Value: v, Stack: debug.Stack()}, i.config.Show)
			})
		}
	}()
	return bounded(i.config.Show(name, value))
}

// bounded returns the beginning of a text, as UTF-8.
func bounded(text string) string {
	const more = "…"
	if len(text) > MaxText {
		text = text[:MaxText-len(more)]
		return strings.ToValidUTF8(text, "") + more
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
