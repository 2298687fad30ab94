package wsource_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
)

// Steps of the scripts of [FuzzMultiplex]: the low three bits are the step, the next two
// the topic.
const (
	stepMultiplex = iota // subscribes through Multiplex
	stepTopic            // subscribes through Topics
	stepLeave            // ends the oldest subscription to the topic
	stepSay              // the server sends a value of the topic
	stepPoison           // the server sends a value on which the topic's filter panics
	stepPoisonAll        // the server sends a value on which the Topic function panics
	stepBreak            // the connection breaks, and is made anew
	stepNoise            // the server sends a value of no topic
)

// FuzzMultiplex runs a script of subscriptions and messages. Each stream gets the values
// of its topic that come while it is subscribed, and no other. A filter that panics fails
// only its own streams. The server never gets the end of a subscription that it has not
// got.
func FuzzMultiplex(f *testing.F) {
	f.Add([]byte{stepMultiplex, stepSay, stepLeave, stepSay})
	f.Add([]byte{stepTopic, stepTopic, stepSay, stepLeave, stepSay, stepLeave, stepSay, stepTopic, stepSay})
	f.Add([]byte{stepMultiplex, stepTopic, stepMultiplex | 1<<3, stepTopic | 1<<3, stepSay, stepSay | 1<<3, stepNoise, stepSay})
	f.Add([]byte{stepMultiplex, stepMultiplex | 1<<3, stepTopic, stepPoison, stepSay, stepSay | 1<<3, stepMultiplex, stepSay})
	f.Add([]byte{stepTopic, stepTopic | 1<<3, stepMultiplex, stepPoisonAll, stepSay, stepTopic, stepSay, stepSay | 1<<3, stepLeave})
	f.Add([]byte{stepTopic, stepMultiplex, stepBreak, stepSay, stepLeave, stepBreak, stepSay, stepLeave, stepSay})
	f.Add([]byte("a script of no sense, but a long one: 0123456789 +-*/ ~ öäü ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	f.Fuzz(func(t *testing.T, script []byte) {
		synctest.Test(t, func(t *testing.T) {
			p := newPlay(newSite(t, wsource.AcceptOptions{Heartbeat: noBeat}))
			for _, b := range script[:min(len(script), 200)] {
				p.step(b&7, string(rune('a'+b>>3&3)))
			}
			p.end()
		})
	})
}

// play is one run of a script, with the values that each stream should have got.
type play struct {
	*site
	subject *wsource.Subject[string, string]
	topics  *textTopics
	base    observable.Subscription // holds the connection
	all     *observabletest.Recorder[string]
	far     far
	said    []string
	streams []*stream
}

// stream is a subscription.
type stream struct {
	letter  string
	keyed   bool // a stream of Topics
	got     *observabletest.Recorder[string]
	sub     observable.Subscription
	want    []string
	stopped bool // it was left, or has failed
	failed  bool
}

func newPlay(s *site) *play {
	p := &play{site: s}
	p.subject = s.subject(&wsource.SubjectConfig[string]{
		Reconnect: steady(), Dial: wsource.DialOptions{Heartbeat: noBeat},
	})
	p.topics = wsource.NewTopics(p.subject, wsource.TopicsConfig[string, string, string]{
		Subscribe:   func(topic string) string { return "+topic " + topic },
		Unsubscribe: func(topic string) string { return "-topic " + topic },
		Topic: func(value string) (string, bool) {
			if value == "poison for all" {
				panic(errCause)
			}
			topic, _, ok := strings.Cut(value, " ")
			return topic, ok && len(topic) == 1
		},
	})
	p.all, p.base = listen(s.t, p.subject)
	p.far = s.accept()
	return p
}

func (p *play) step(step byte, letter string) {
	switch step {
	case stepMultiplex:
		st := &stream{letter: letter}
		st.got, st.sub = listen(p.t, p.subject.Multiplex(
			func() string { return "+" + letter },
			func() string { return "-" + letter },
			func(v string) bool {
				if v == "poison for "+letter {
					panic(errCause)
				}
				return strings.HasPrefix(v, letter+" ")
			},
		))
		p.streams = append(p.streams, st)
	case stepTopic:
		st := &stream{letter: letter, keyed: true}
		st.got, st.sub = listen(p.t, p.topics.Topic(letter))
		p.streams = append(p.streams, st)
	case stepLeave:
		for _, st := range p.streams {
			if st.letter == letter && !st.stopped {
				st.stopped = true
				st.sub.Unsubscribe()
				break
			}
		}
	case stepSay:
		p.say(fmt.Sprintf("%s %d", letter, len(p.said)), func(st *stream) bool { return st.letter == letter }, false)
	case stepPoison:
		p.say("poison for "+letter, func(st *stream) bool { return !st.keyed && st.letter == letter }, true)
	case stepPoisonAll:
		p.say("poison for all", func(st *stream) bool { return st.keyed }, true)
	case stepBreak:
		p.checkHeard()
		p.far.CloseNow()
		time.Sleep(time.Second)
		p.far = p.accept()
	case stepNoise:
		p.say("noise", func(*stream) bool { return false }, false)
	}
	settle()
}

// say makes the server send a value, which is for some of the streams, or fails them.
func (p *play) say(value string, reaches func(*stream) bool, fails bool) {
	p.said = append(p.said, value)
	p.far.say(value)
	for _, st := range p.streams {
		switch {
		case st.stopped || !reaches(st):
		case fails:
			st.stopped, st.failed = true, true
		default:
			st.want = append(st.want, value)
		}
	}
}

// checkHeard checks the messages of the connection: it gets no end of a subscription that
// it has not got.
func (p *play) checkHeard() {
	open := map[string]int{}
	for _, m := range p.far.heard() {
		if m[0] == '+' {
			open[m[1:]]++
			continue
		}
		open[m[1:]]--
		require.GreaterOrEqual(p.t, open[m[1:]], 0, "%v", p.far.heard())
	}
	wanted := map[string]int{}
	for _, st := range p.streams {
		switch {
		case st.stopped:
		case st.keyed:
			wanted["topic "+st.letter] = 1
		default:
			wanted[st.letter]++
		}
	}
	for topic, n := range wanted {
		require.GreaterOrEqual(p.t, open[topic], n, "the server knows of %s: %v", topic, p.far.heard())
	}
}

// end checks every stream.
func (p *play) end() {
	p.checkHeard()
	assert.Equal(p.t, p.said, append([]string(nil), p.all.Values()...), "the others go on")
	for _, st := range p.streams {
		assert.Equal(p.t, st.want, st.got.Values())
		if !st.failed {
			assert.False(p.t, st.got.Ended())
			st.sub.Unsubscribe()
			continue
		}
		assertEnded(p.t, st.got)
		err := st.got.ExpectEnd(p.t)
		var panicked *observable.PanicError
		require.ErrorAs(p.t, err, &panicked)
		require.ErrorIs(p.t, err, errCause)
	}
	p.base.Unsubscribe()
}
