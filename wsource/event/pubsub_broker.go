package event

import "github.com/rxsocket/rxsocket/observable"

// PubSubBroker joins the [PubSub]s of several nodes: see [PubSubConfig.Broker]. Package
// natsbroker has one.
type PubSubBroker interface {
	// Follow has deliver called with each event that another node publishes, until stop
	// is called: those of one node in their order. retain is how many topics have their
	// last event kept, for nodes that come later. A node that comes, or was cut off, has
	// each kept event delivered that it lacks. deliver may be called before Follow
	// returns.
	//
	// Many events may come at once after an outage, more than may wait at a connection.
	// late is 0 for an event that comes as it is published. For an event of such a burst
	// late is the number of the burst, and each burst has another number: these events
	// wait at a connection outside of its bounds, as retained events do. The events of a
	// further burst wait within the bounds, until the connection has taken all of the
	// earlier one.
	Follow(retain int, deliver func(e *Envelope, late uint64)) (stop func(), err error)
	// Publish passes an event on to the other nodes, and does not wait for them. While
	// they cannot be reached, it keeps some events; an error says that it has not kept
	// this one.
	Publish(e *Envelope) error
}

// follow has the events of other nodes passed on.
func (p *PubSub) follow() {
	if p.config.Broker == nil || p.problem != nil {
		return
	}
	p.unfollow, p.problem = p.config.Broker.Follow(p.config.Retain, func(e *Envelope, late uint64) {
		p.steps.do(func() { p.pass(e, late) })
	})
}

// passOn is the step that passes an event of this node on to all nodes.
func (p *PubSub) passOn(e *Envelope) {
	if p.over {
		return
	}
	p.pass(e, 0)
	if p.config.Broker == nil {
		return
	}
	if err := p.config.Broker.Publish(e); err != nil {
		observable.ReportUnhandled(err, p)
	}
}
