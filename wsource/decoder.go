package wsource

import (
	"errors"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
)

// decoder is the receiver of one link: it makes values of messages.
type decoder[In any] struct {
	link   *link
	name   func() string
	decode func(MessageType, []byte) (In, error)
	failed func(*CodecError) (skip bool)
	values observable.Subject[In]
	over   atomic.Bool // a message did not decode, and the stream has failed
}

func newDecoder[In, Out any](l *link, codec Codec[In, Out], failed func(*CodecError) bool) *decoder[In] {
	d := &decoder[In]{link: l, failed: failed}
	if codec != nil { // or else there will be no connection
		d.name, d.decode = codec.Name, codec.Decode
	}
	return d
}

// frame passes a message on as a value.
func (d *decoder[In]) frame(m Message) {
	if d.over.Load() {
		return
	}
	decoding := true
	defer func() {
		if decoding { // and it has ended the goroutine
			d.undecoded(m, observable.ErrGoexit)
		}
	}()
	v, err := d.decoded(m)
	decoding = false
	if err != nil {
		d.undecoded(m, err)
		return
	}
	d.values.Next(v)
}

func (d *decoder[In]) decoded(m Message) (v In, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return d.decode(m.Type, m.Data)
}

// undecoded reports a message that did not decode, and ends the stream unless it is to go on. The peer
// is told with a code of RFC 6455, section 7.4.1.
func (d *decoder[In]) undecoded(m Message, err error) {
	ce := codecError(d.name(), m, err)
	if d.failed(ce) {
		return
	}
	end := &CloseError{Code: StatusInvalidPayload, Reason: "a message cannot be decoded"}
	if errors.Is(err, ErrMessageType) {
		end = &CloseError{Code: StatusUnsupportedData, Reason: "a message is of a type that is not read here"}
	}
	d.over.Store(true)
	d.link.fail(ce, end)
}

func (d *decoder[In]) end(err error) {
	if err != nil {
		d.values.Error(err)
	} else {
		d.values.Complete()
	}
}
