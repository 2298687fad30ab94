package inspect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/inspect"
)

func Example() {
	inspector := inspect.New(&inspect.Config{Show: inspect.ShowJSON("password", "token")})
	defer inspector.Close()
	server := &wsource.Server{Options: wsource.AcceptOptions{Hook: inspector.Hook()}}
	inspector.Add("server", server)

	mux := http.NewServeMux()
	mux.Handle("/live", server)
	mux.Handle("/inspect/", inspector)
	fmt.Println(inspector.Snapshot().Parts[0].Text)
	// Output: server of 0 connections
}

func ExampleInspector_Snapshot() {
	inspector := inspect.New(nil)
	defer inspector.Close()
	prices := operators.Named(observable.Of(1.5, 1.6, 1.4), "prices")
	_, err := observable.Collect(context.Background(), prices)
	fmt.Println(err)
	for _, name := range inspector.Snapshot().Streams.Names {
		fmt.Printf("%s: %d values, %d completed\n", name.Name, name.Values, name.Completed)
	}
	// Output:
	// <nil>
	// prices: 3 values, 1 completed
}

// A program that is started without -inspect shows nothing, and pays nothing.
func ExampleInspector_Hook() {
	var inspector *inspect.Inspector // it is off
	server := &wsource.Server{Options: wsource.AcceptOptions{Hook: inspector.Hook()}}
	fmt.Println(server.Options.Hook == nil)
	// Output: true
}

// A tool reads state.json.
func ExampleSnapshot_marbles() {
	inspector := inspect.New(&inspect.Config{Show: inspect.ShowJSON(), PerSecond: inspect.DefaultPerSecond})
	defer inspector.Close()
	remove := inspector.Add("server", new(wsource.Server))
	defer remove()
	site := httptest.NewServer(inspector)
	defer site.Close()
	ask := func() (s inspect.Snapshot) {
		answer, err := http.Get(site.URL + "/state.json?q=words")
		if err != nil {
			fmt.Println(err)
			return s
		}
		defer answer.Body.Close()
		if err := json.NewDecoder(answer.Body).Decode(&s); err != nil {
			fmt.Println(err)
		}
		return s
	}

	ask() // from now on values count, for inspect.WatchTime
	_, err := observable.Collect(context.Background(), operators.Named(observable.Of("a", "b"), "words"))
	fmt.Println(err)
	s := ask()
	show := func(streams []inspect.Stream, sockets []inspect.Socket, ended []inspect.EndedSocket, parts []inspect.Part) {
		for _, of := range streams {
			fmt.Println(of.Name, of.Values, of.End)
			for _, m := range of.Marbles {
				fmt.Printf("  %s(%s)\n", m.Kind, m.Text)
			}
		}
		for _, of := range sockets { // at most inspect.MaxShown
			fmt.Println(of.ID, of.Slow, of.Session)
		}
		fmt.Println(len(ended), "have ended of", s.Sockets.Opened)
		fmt.Println(parts)
	}
	show(s.Streams.Shown, s.Sockets.Shown, s.Sockets.Ended, s.Parts)
	// Output:
	// <nil>
	// words 2 complete
	//   value("a")
	//   value("b")
	//   complete()
	// 0 have ended of 0
	// [{server server of 0 connections}]
}

// The content of an inspector has bounds.
func Example_bounds() {
	fmt.Println("kept:", inspect.MaxSockets, "sockets,", inspect.MaxStreams, "streams,", inspect.MaxNames, "names")
	fmt.Println("of each stream:", inspect.MaxMarbles, "marbles of at most", inspect.MaxText, "bytes")
	fmt.Println("shown:", inspect.MaxShown, "of each, and", inspect.MaxEnded, "that are over")
	fmt.Println("slow after:", inspect.SlowAfter, "looked at for:", inspect.WatchTime)
	// Output:
	// kept: 10000 sockets, 10000 streams, 1000 names
	// of each stream: 32 marbles of at most 256 bytes
	// shown: 100 of each, and 50 that are over
	// slow after: 1s looked at for: 5s
}
