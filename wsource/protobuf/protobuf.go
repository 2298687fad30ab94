// Package protobuf is the codec of Protocol Buffers messages for package wsource: each
// binary WebSocket message is a Protocol Buffers message. The package is a module of its
// own, so that only programs that use it depend on Protocol Buffers:
//
//	go get github.com/rxsocket/rxsocket/wsource/protobuf
package protobuf

import (
	"errors"

	"google.golang.org/protobuf/proto"

	"github.com/rxsocket/rxsocket/wsource"
)

// ErrNil is the cause when a message to send is nil, which has no encoding.
var ErrNil = errors.New("the Protocol Buffers message is nil")

// ErrNoMessageType is the cause when In is an interface, which does not name the type to
// make.
var ErrNoMessageType = errors.New("the type to decode to is an interface, not that of a Protocol Buffers message")

// Codec returns the codec of Protocol Buffers messages in their binary form, which are
// sent as binary messages. In is the type of arriving messages, Out of sent ones, both
// pointers to generated types, as *pb.Update. Out may also be [proto.Message] itself.
//
// Decode makes a new message each time, keeps unknown fields, and fails with
// [wsource.ErrMessageType] for a text message, and with the error of package proto for
// data that is malformed or lacks a required field. Encode fails with [ErrNil] for a nil
// message. It makes a copy: the message may be changed afterwards.
func Codec[In, Out proto.Message]() wsource.Codec[In, Out] { return codec[In, Out]{} }

type codec[In, Out proto.Message] struct{}

func (codec[In, Out]) Name() string { return "protobuf" }

func (codec[In, Out]) Decode(typ wsource.MessageType, data []byte) (In, error) {
	var none In
	if any(none) == nil {
		return none, ErrNoMessageType
	}
	if typ != wsource.Binary {
		return none, wsource.ErrMessageType
	}
	// The reflection of a nil pointer still knows its type.
	value := none.ProtoReflect().Type().New().Interface().(In) //nolint:forcetypeassert // it has none's type
	if err := proto.Unmarshal(data, value); err != nil {
		return none, err
	}
	return value, nil
}

func (codec[In, Out]) Encode(value Out) (wsource.Message, error) {
	if any(value) == nil || !value.ProtoReflect().IsValid() {
		return wsource.Message{}, ErrNil
	}
	data, err := proto.Marshal(value)
	return wsource.BinaryMessage(data), err
}
