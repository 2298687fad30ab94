package event

import (
	"bufio"
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Version is the version of the protocol. An event may name it in the field "v"; one
// without that field is of this version.
const Version = 1

// Bounds of an envelope, in bytes. A longer one is an [EnvelopeError] with [CodeTooLong].
const (
	MaxName   = 256 // an id, a type, a source, a correlation or a topic
	MaxFields = 64  // fields of an envelope, unknown ones included
)

// Envelope is an event as it goes over the wire. An envelope that was received must not
// be changed, as all its subscribers share it. Sending fills in an empty ID, Created and
// Source.
type Envelope struct {
	ID      string    // name of the event; if it is empty, a new UUID (version 7)
	Type    string    // kind of the event, as "order_placed"
	Created time.Time // time of its making, in milliseconds; if it is zero, now
	Source  string    // maker of the event; if it is empty, Config.Source
	Corr    string    // ID of the event that this one is about
	Topic   string    // topic that it is published under
	Pattern string    // pattern that it is delivered for, if not the topic

	// Data is the value as the codec for values has made it. It is JSON, unless Binary is
	// set.
	Data   []byte
	Binary bool

	// Credit, if it is not 0, makes the event a question, and is how many values may
	// answer it.
	Credit int64
	// Timeout is how long the asker will wait, from the moment at which the event was
	// sent; 0 if that is not known. It is sent in milliseconds.
	Timeout time.Duration

	// Extra are the fields that this package does not know, in their order. They are
	// kept, and sent again when the event is.
	Extra []Field
}

// Field is a field of an envelope that this package does not know.
type Field struct {
	Name  string
	Value []byte // JSON
}

// The types of the protocol's own events. Their names begin with "rx."; an event of the
// application cannot have such a name.
const (
	typeReply     = "rx.reply"    // the only or last value that answers a question
	typeNext      = "rx.next"     // one of several values that answer a question
	typeComplete  = "rx.complete" // no more values come
	typeError     = "rx.error"    // the question or event that Corr names has failed
	typeCancel    = "rx.cancel"   // no answer is wanted any more
	typeCredit    = "rx.credit"   // Credit more values may come
	typeSubscribe = "rx.subscribe"
	typeLeave     = "rx.unsubscribe"
	typeJoined    = "rx.subscribed"

	reserved = "rx."
)

// own reports whether the event is one of the protocol's.
func (e *Envelope) own() bool { return strings.HasPrefix(e.Type, reserved) }

// complete fills the fields that every sent event has.
func (e *Envelope) complete(source string) {
	if e.ID == "" {
		e.ID = NewID()
	}
	if e.Created.IsZero() {
		e.Created = time.Now()
	}
	if e.Source == "" {
		e.Source = source
	}
}

// NewID returns an ID that no other event has: a UUID, version 7 (RFC 9562).
func NewID() string {
	random, _ := randoms.Get().(*bufio.Reader)
	defer randoms.Put(random)
	id, err := uuid.NewV7FromReader(random)
	if err != nil { // without randomness of the system; crypto/rand then does not return
		panic(err)
	}
	return id.String()
}

// randoms holds random bytes for some IDs, as each request for them is a system call.
var randoms = sync.Pool{New: func() any { return bufio.NewReaderSize(rand.Reader, 512) }}

// vet returns the problem with an event, or nil.
func (e *Envelope) vet() *EnvelopeError {
	switch {
	case e.Type == "":
		return e.wrong(CodeMissingType, "type", "is missing")
	case e.ID == "" && !e.own():
		return e.wrong(CodeMissingID, "id", "is missing")
	case e.Credit < 0:
		return e.wrong(CodeMalformed, "credit", "is negative")
	case e.Timeout < 0:
		return e.wrong(CodeMalformed, "timeout", "is negative")
	}
	for _, f := range [...]struct{ name, value string }{
		{"id", e.ID},
		{"type", e.Type},
		{"source", e.Source},
		{"corr", e.Corr},
		{"topic", e.Topic},
		{"pattern", e.Pattern},
	} {
		if len(f.value) > MaxName {
			return e.wrong(CodeTooLong, f.name, "is too long")
		}
	}
	return nil
}

// wrong returns an error about a field. It does not repeat names that are too long.
func (e *Envelope) wrong(code Code, field, problem string) *EnvelopeError {
	err := &EnvelopeError{Code: code, Field: field, Problem: problem}
	if len(e.ID) <= MaxName {
		err.ID = e.ID
	}
	if len(e.Type) <= MaxName {
		err.Type = e.Type
	}
	if len(e.Topic) <= MaxName {
		err.Topic = e.Topic
	}
	return err
}
