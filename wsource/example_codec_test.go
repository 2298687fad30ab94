package wsource_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// numberCodec is a program's own codec: numbers that arrive as text.
type numberCodec struct{}

func (numberCodec) Name() string { return "number" }

func (numberCodec) Decode(_ wsource.MessageType, data []byte) (n int, err error) {
	_, err = fmt.Sscanf(string(data), "%d", &n)
	return n, err
}

func (numberCodec) Encode(text string) (wsource.Message, error) {
	return wsource.TextMessage(text), nil
}

func ExampleCodec() {
	url, stop := echo()
	defer stop()
	numbers := wsource.NewSubject(url, numberCodec{}, nil)
	for i := range 4 {
		numbers.Next(strconv.Itoa(i * i))
	}
	sum := operators.Reduce(operators.Take(numbers, 4), 0, func(sum, n int) int { return sum + n })
	fmt.Println(observable.FirstValue(context.Background(), sum))

	// Output: 14 <nil>
}

func ExampleJSON() {
	codec := wsource.JSON[quote, quote]()
	m, err := codec.Encode(quote{"ACME", 12.5})
	fmt.Println(m.Type, m, err)
	_, err = codec.Decode(wsource.Text, []byte(`{"Symbol":"ACME","Price":"dear"}`))
	fmt.Println(err != nil)

	// Output:
	// text {"Symbol":"ACME","Price":12.5} <nil>
	// true
}

func ExampleStrictJSON() {
	m := wsource.TextMessage(`{"Symbol":"ACME","Prize":12.5}`)
	fmt.Println(wsource.JSON[quote, quote]().Decode(m.Type, m.Data))
	_, err := wsource.StrictJSON[quote, quote]().Decode(m.Type, m.Data)
	fmt.Println(err)

	// Output:
	// {ACME 0} <nil>
	// json: unknown field "Prize"
}

func ExampleTextCodec() {
	codec := wsource.TextCodec()
	fmt.Println(codec.Decode(wsource.Text, []byte("hello")))
	_, err := codec.Decode(wsource.Binary, []byte("hello"))
	fmt.Println(err)

	// Output:
	// hello <nil>
	// the message is not of the codec's type
}

func ExampleBinaryCodec() {
	codec := wsource.BinaryCodec()
	m, _ := codec.Encode([]byte{1, 2, 3})
	value, err := codec.Decode(m.Type, m.Data)
	fmt.Printf("%v %d %v\n", m.Type, value, err)

	// Output: binary [1 2 3] <nil>
}

// Raw gives a subject's outbox and reconnects to messages as they are.
func ExampleRaw() {
	url, stop := echo()
	defer stop()
	messages := wsource.NewSubject(url, wsource.Raw(), nil)
	messages.Next(wsource.BinaryMessage([]byte{0xFF}))
	m, err := observable.FirstValue(context.Background(), messages)
	fmt.Println(m.Type, len(m.Data), err)

	// Output: binary 1 <nil>
}

// The error of an undecodable message comes in its place in the stream.
func ExampleAsValues() {
	url, stop := echo()
	defer stop()
	numbers := wsource.NewSubject(url, wsource.AsValues(numberCodec{}), nil)
	for _, text := range []string{"1", "two", "3"} {
		numbers.Next(text)
	}
	three := operators.Take(numbers, 3)
	_ = observable.ForEach(context.Background(), three, func(d wsource.Decoded[int]) {
		if d.Err != nil {
			fmt.Println("not a number:", strings.ToUpper(d.Err.Message.String()))
			return
		}
		fmt.Println(d.Value)
	})

	// Output:
	// 1
	// not a number: TWO
	// 3
}

// A feed has messages of several kinds, as most feeds have.
func ExampleUnion() {
	type trade struct{ Price float64 }
	type status struct{ Market string }
	url, stop := echo()
	defer stop()

	codec := wsource.Union("type", wsource.As[trade]("trade"), wsource.As[status]("status"))
	feed := wsource.NewSubject(url, codec, nil)
	feed.Next(status{"open"})
	feed.Next(trade{12.5})
	trades := operators.OfType[trade](feed)
	fmt.Println(observable.FirstValue(context.Background(), trades))

	message, _ := codec.Encode(trade{12.5})
	fmt.Println(message)

	// Output:
	// {12.5} <nil>
	// {"type":"trade","Price":12.5}
}
