package inspect_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/rxsocket/rxsocket/wsource/inspect"
)

// A tool reads the content of the page as JSON. An inspector's content is bounded.
func ExampleSnapshot() {
	const answer = `{"sockets":{"open":1,"shown":[{"id":"7","side":"server","waiting":1500}],"ended":[{"id":"6","code":1001}]},
		"streams":{"shown":[{"name":"prices","marbles":[{"kind":"value","text":"3"}]}]}}`
	var snapshot inspect.Snapshot
	if err := json.Unmarshal([]byte(answer), &snapshot); err != nil {
		fmt.Println(err)
		return
	}
	var sockets = snapshot.Sockets
	slow := func(s inspect.Socket) bool { return s.Waiting > inspect.Milliseconds(inspect.SlowAfter) }
	ended := func(s inspect.EndedSocket) string { return fmt.Sprint(s.ID, " ", s.Code) }
	fmt.Println(sockets.Open, slow(sockets.Shown[0]), ended(sockets.Ended[0]))
	last := func(s inspect.Stream) inspect.Marble { return s.Marbles[len(s.Marbles)-1] }
	fmt.Println(last(snapshot.Streams.Shown[0]).Text, inspect.Part{Name: "hub", Text: "3 rooms"})
	fmt.Println(inspect.MaxSockets, inspect.MaxStreams, inspect.MaxNames, inspect.MaxShown, inspect.MaxEnded)
	fmt.Println(inspect.MaxMarbles, inspect.MaxText, inspect.WatchTime, inspect.DefaultPerSecond, inspect.SlowAfter)
	// Output:
	// 1 true 6 1001
	// 3 {hub 3 rooms}
	// 10000 10000 1000 100 50
	// 32 256 5s 20 1s
}

// Only requests from this machine are allowed, unless the program says otherwise.
func ExampleInspector_ServeHTTP() {
	inspector := inspect.New(nil)
	defer inspector.Close()
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodGet, "http://inspector.example/", nil)
	request.RemoteAddr = "203.0.113.9:4711"
	inspector.ServeHTTP(answer, request)
	fmt.Println(answer.Code)
	// Output: 403
}
