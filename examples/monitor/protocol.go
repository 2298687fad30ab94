package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/wsource"
)

// The bounds of the interval that a client may ask for. Below the lower one, the
// processor's counters, which tick a hundred times a second, tell too little.
const (
	minInterval = 100 * time.Millisecond
	maxInterval = time.Minute
)

// interval is the time between two samples, which JSON has as a string: "250ms".
type interval time.Duration

// String returns the interval as Go writes durations.
func (i interval) String() string { return time.Duration(i).String() }

// MarshalText returns the interval as String does.
func (i interval) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads the text of MarshalText, and reports an interval beyond the bounds.
func (i *interval) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	switch {
	case err != nil:
		return fmt.Errorf("interval %q is not a duration such as 250ms or 2s", text)
	case d < minInterval || d > maxInterval:
		return fmt.Errorf("interval %v is not between %v and %v", d, minInterval, maxInterval)
	}
	*i = interval(d)
	return nil
}

// command is a client's request. Settings that it does not mention stay as they are.
type command struct {
	Interval interval `json:"interval,omitempty"`
	Metrics  []string `json:"metrics,omitempty"`
}

// reply is a message of the server: one of the four.
type reply struct {
	Settings *settings      `json:"settings,omitempty"` // on connecting, and in answer to each command
	Sample   *sample        `json:"sample,omitempty"`
	Stream   *streamFigures `json:"stream,omitempty"` // every second
	Error    string         `json:"error,omitempty"`  // problem with a command
}

// streamFigures are figures of the stream itself.
type streamFigures struct {
	Connections int     `json:"connections"`
	Sent        uint64  `json:"sent"`   // messages since the start, to all clients
	Missed      uint64  `json:"missed"` // samples lost by slow clients, since the start
	RTT         float64 `json:"rtt"`    // milliseconds of this client's last ping; 0 before
}

// settings are the metrics that one client gets, and those that it could get.
type settings struct {
	Interval interval `json:"interval"`
	Metrics  []string `json:"metrics"`
	Offer    *offer   `json:"offer"`
}

// offer is the metrics to choose from.
type offer struct {
	Host    string   `json:"host"`
	Min     interval `json:"min"`
	Max     interval `json:"max"`
	Metrics []metric `json:"metrics"`
}

// with returns the settings that the command leads to.
func (s settings) with(c command) settings {
	if c.Interval != 0 {
		s.Interval = c.Interval
	}
	if c.Metrics != nil {
		s.Metrics = c.Metrics
	}
	return s
}

// The codecs of the two sides. The server's codec refuses fields that it does not know,
// so that a misspelt command does not count as an empty one.
var (
	serverSide = wsource.StrictJSON[command, reply]() //nolint:gochecknoglobals // a codec has no state
	clientSide = wsource.JSON[reply, command]()       //nolint:gochecknoglobals // a codec has no state
)

// parse reads a command.
func (o *offer) parse(m wsource.Message) (command, error) {
	c, err := serverSide.Decode(m.Type, m.Data)
	if err != nil {
		return c, explain(err)
	}
	return c, o.check(c)
}

// check returns the reason why a command cannot be carried out.
func (o *offer) check(c command) error {
	switch {
	case c.Metrics != nil && len(c.Metrics) == 0:
		return errors.New("no metrics are chosen; there are " + o.names())
	case c.Interval == 0 && c.Metrics == nil:
		return errors.New("the command asks for nothing; " + usageHint)
	}
	for _, name := range c.Metrics {
		if !slices.ContainsFunc(o.Metrics, func(m metric) bool { return m.Name == name }) {
			return fmt.Errorf("there is no metric %q; there are %s", name, o.names())
		}
	}
	return nil
}

// names lists the metrics.
func (o *offer) names() string { return strings.Join(namesOf(o.Metrics), ", ") }

func namesOf(metrics []metric) []string {
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = m.Name
	}
	return names
}

const usageHint = `send {"interval":"250ms"} or {"metrics":["cpu","memory"]}`

// explain puts an error of encoding/json in the protocol's words.
func explain(err error) error {
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the command is empty; " + usageHint)
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the command is not JSON: %w; %s", err, usageHint)
	case errors.As(err, &wrong) && wrong.Field == "":
		return fmt.Errorf("a command is a JSON object, not a JSON %s; %s", wrong.Value, usageHint)
	case errors.As(err, &wrong):
		return fmt.Errorf("the command's %s cannot be a JSON %s; %s", wrong.Field, wrong.Value, usageHint)
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}
