package protobuf_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/protobuf"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The client sends strings and gets their lengths.
func TestCodecOverASubject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		listener, err := network.Listen("server.test:80")
		require.NoError(t, err)
		server := new(wsource.Server)
		served := make(chan error, 1)
		server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
			OnNext: func(socket *wsource.Socket) {
				peer := wsource.WrapSocket(socket, protobuf.Codec[*wrapperspb.StringValue, proto.Message](), nil)
				peer.Subscribe(context.Background(), observable.ObserverFuncs[*wrapperspb.StringValue]{
					OnNext: func(v *wrapperspb.StringValue) {
						peer.Next(wrapperspb.Int64(int64(len(v.GetValue()))))
					},
				})
			},
		})
		go func() { served <- server.Serve(listener) }()

		subject := wsource.NewSubject("ws://server.test", protobuf.Codec[*wrapperspb.Int64Value, *wrapperspb.StringValue](),
			&wsource.SubjectConfig[*wrapperspb.StringValue]{
				Dial: wsource.DialOptions{Transport: network.HTTPClient().Transport},
			})
		got := make(chan int64, 3)
		subscription := subject.Subscribe(t.Context(), observable.ObserverFuncs[*wrapperspb.Int64Value]{
			OnNext: func(v *wrapperspb.Int64Value) { got <- v.GetValue() },
		})
		for _, text := range []string{"", "four", "seventeen letters"} {
			require.NoError(t, subject.Send(t.Context(), wrapperspb.String(text)))
			assert.Equal(t, int64(len(text)), <-got)
		}
		var nothing *wrapperspb.StringValue
		require.ErrorIs(t, subject.Send(t.Context(), nothing), protobuf.ErrNil)

		subscription.Unsubscribe()
		time.Sleep(time.Second)
		require.NoError(t, server.Shutdown(t.Context()))
		<-served
		assert.Empty(t, network.Links())
	})
}

func TestDecodeRefuses(t *testing.T) {
	codec := protobuf.Codec[*structpb.Struct, proto.Message]()
	assert.Equal(t, "protobuf", codec.Name())
	_, err := codec.Decode(wsource.Text, []byte("text"))
	require.ErrorIs(t, err, wsource.ErrMessageType)
	_, err = codec.Decode(wsource.Binary, []byte{0xff})
	require.ErrorIs(t, err, proto.Error)
	_, err = codec.Encode(nil)
	require.ErrorIs(t, err, protobuf.ErrNil)
	_, err = codec.Encode(wrapperspb.String("\xff"))
	require.ErrorIs(t, err, proto.Error)
	_, err = protobuf.Codec[proto.Message, proto.Message]().Decode(wsource.Binary, nil)
	require.ErrorIs(t, err, protobuf.ErrNoMessageType)
}

// A decoded message shares no memory with the frame, which is used again.
func TestDecodeCopies(t *testing.T) {
	codec := protobuf.Codec[*wrapperspb.BytesValue, *wrapperspb.BytesValue]()
	m, err := codec.Encode(wrapperspb.Bytes([]byte("kept")))
	require.NoError(t, err)
	value, err := codec.Decode(m.Type, m.Data)
	require.NoError(t, err)
	clear(m.Data)
	assert.Equal(t, "kept", string(value.GetValue()))
}

// Every decoded value is encoded to bytes that decode to the same value.
func FuzzDecode(f *testing.F) {
	codec := protobuf.Codec[*structpb.Struct, *structpb.Struct]()
	seed, err := structpb.NewStruct(map[string]any{"a": 1.5, "b": []any{"x", nil, true}, "c": map[string]any{}})
	require.NoError(f, err)
	m, err := codec.Encode(seed)
	require.NoError(f, err)
	f.Add(m.Data)
	f.Add([]byte{})
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := codec.Decode(wsource.Binary, data)
		if err != nil {
			return
		}
		m, err := codec.Encode(value)
		require.NoError(t, err)
		again, err := codec.Decode(m.Type, m.Data)
		require.NoError(t, err)
		// By their encodings, since a NaN, and a message that holds one, does not equal
		// itself.
		assert.Equal(t, sorted(t, value), sorted(t, again))
	})
}

// sorted is a message's encoding with the maps in order.
func sorted(t *testing.T, m proto.Message) string {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	require.NoError(t, err)
	return string(data)
}

func ExampleCodec() {
	codec := protobuf.Codec[*wrapperspb.StringValue, *wrapperspb.StringValue]()
	m, _ := codec.Encode(wrapperspb.String("hello"))
	value, _ := codec.Decode(m.Type, m.Data)
	fmt.Println(m.Type, len(m.Data), value.GetValue())
	// Output: binary 7 hello
}

// A value that cannot be encoded or decoded has a cause of its own.
func ExampleCodec_errors() {
	_, err := protobuf.Codec[proto.Message, *wrapperspb.StringValue]().Encode(nil)
	fmt.Println(errors.Is(err, protobuf.ErrNil))
	m := wsource.BinaryMessage(nil)
	// Of no type.
	_, err = protobuf.Codec[proto.Message, proto.Message]().Decode(m.Type, m.Data)
	fmt.Println(errors.Is(err, protobuf.ErrNoMessageType))
	// Output:
	// true
	// true
}
