package main

import (
	"context"
	"strings"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// totals are how many orders of each kind there were.
type totals struct{ placed, confirmed, rejected, shipped, again int }

// count returns the totals with one more piece of news.
func (t totals) count(topic string, n News) totals {
	switch {
	case n.Again:
		t.again++
	case topic == placed:
		t.placed++
	case topic == confirmed:
		t.confirmed++
	case topic == rejected:
		t.rejected++
	case topic == shipped:
		t.shipped++
	}
	return t
}

// line is a piece of news, with the totals after it.
type line struct {
	topic string
	News
	totals
}

// count returns the news of a stream with the totals.
func count(news observable.Observable[line]) observable.Observable[line] {
	return operators.Scan(news, line{}, func(before, next line) line {
		next.totals = before.totals.count(next.topic, next.News)
		return next
	})
}

// dashboard shows the news of all nodes, with the totals, which it also tells.
func dashboard(ctx context.Context, conn *event.Conn, screen *screen, told func(totals)) {
	news := operators.Map(event.OnTopic[News](conn, "orders.>"), func(e event.Event[News]) line {
		return line{topic: e.Topic, News: e.Value}
	})
	count(news).Subscribe(ctx, observable.ObserverFuncs[line]{
		OnNext: func(l line) {
			screen.printf(l.By, "%-10s #%-3d %d %-9s | %d placed, %d confirmed, %d rejected, %d shipped",
				strings.TrimPrefix(l.topic, "orders."), l.Order.Number, l.Order.Count, l.Order.Item,
				l.placed, l.confirmed, l.rejected, l.shipped)
			told(l.totals)
		},
		OnError: func(err error) {
			if ctx.Err() == nil {
				screen.printf("dashboard", "%v", err)
			}
		},
	})
}
