package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// limit is the temperature from which on there is an alarm.
const limit = 100

// --- the program in RxGo, as it was ---------------------------------------------------

// alarmsRx makes alarms of readings, which are strings.
func alarmsRx(readings rxgo.Observable) rxgo.Observable {
	return readings.Map(parseRx).Filter(isHotRx).Map(formatRx)
}

func parseRx(_ context.Context, v any) (any, error) {
	text, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("a reading of type %T", v)
	}
	return parse(text)
}

func isHotRx(v any) bool {
	degrees, ok := v.(float64)
	return ok && isHot(degrees)
}

func formatRx(_ context.Context, v any) (any, error) {
	degrees, ok := v.(float64)
	if !ok {
		return nil, fmt.Errorf("a temperature of type %T", v)
	}
	return format(degrees), nil
}

// --- the same, typed ------------------------------------------------------------------

// alarms makes alarms of readings.
func alarms(readings observable.Observable[string]) observable.Observable[string] {
	temperatures := operators.TryMap(readings, parse)
	hot := operators.Filter(temperatures, isHot)
	return operators.Map(hot, format)
}

func parse(text string) (float64, error) { return strconv.ParseFloat(text, 64) }
func isHot(degrees float64) bool         { return degrees >= limit }
func format(degrees float64) string      { return fmt.Sprintf("%.1f degrees", degrees) }

// --- where the readings come from -----------------------------------------------------

// form is a way to get the alarms of some readings. It calls show for each, and returns
// the error of the stream.
type form struct {
	name string
	run  func(ctx context.Context, from source, show func(string)) error
}

// source has the same readings in memory and on a server.
type source struct {
	readings []string
	url      string
}

// forms are the steps from one program to the other.
func forms() []form {
	return []form{
		{"RxGo on a channel", func(ctx context.Context, from source, show func(string)) error {
			items := make(chan rxgo.Item)
			go func() {
				defer close(items)
				for _, reading := range from.readings {
					if !rxgo.Of(reading).SendContext(ctx, items) {
						return
					}
				}
			}()
			return observe(ctx, alarmsRx(rxgo.FromChannel(items)), show)
		}},
		{"RxGo on a socket: Socket.Observable", func(ctx context.Context, from source, show func(string)) error {
			socket, err := wsource.Dial(ctx, from.url, nil)
			if err != nil {
				return err
			}
			defer socket.CloseNow()
			texts := socket.Observable().Map(func(_ context.Context, v any) (any, error) {
				return v.(wsource.Message).String(), nil //nolint:forcetypeassert // a socket has only these
			})
			return observe(ctx, alarmsRx(texts), show)
		}},
		{"RxGo on any stream: ToRx", func(ctx context.Context, from source, show func(string)) error {
			texts := operators.Map(wsource.Messages(from.url, nil), wsource.Message.String)
			return observe(ctx, alarmsRx(observable.ToRx(texts)), show)
		}},
		{"RxGo inside a typed pipeline: Via", func(ctx context.Context, from source, show func(string)) error {
			texts := operators.Map(wsource.Messages(from.url, nil), wsource.Message.String)
			return observable.ForEach(ctx, observable.Via[string](texts, alarmsRx), show)
		}},
		{"typed, on a socket", func(ctx context.Context, from source, show func(string)) error {
			texts := operators.Map(wsource.Messages(from.url, nil), wsource.Message.String)
			return observable.ForEach(ctx, alarms(texts), show)
		}},
		{"typed, in memory", func(ctx context.Context, from source, show func(string)) error {
			return observable.ForEach(ctx, alarms(observable.FromSlice(from.readings)), show)
		}},
	}
}

// observe shows the items of an RxGo observable, and returns its error.
func observe(ctx context.Context, rx rxgo.Observable, show func(string)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for item := range rx.Observe(rxgo.WithContext(ctx)) {
		if item.Error() {
			return item.E
		}
		if text, ok := item.V.(string); ok {
			show(text)
		}
	}
	// As everywhere in RxGo, the end of a context closes the channel.
	return context.Cause(ctx)
}
