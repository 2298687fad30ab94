package event

import "github.com/rxsocket/rxsocket/observable"

// PubSubBroker joins the [PubSub]s of several nodes: see [PubSubConfig.Broker]. Package natsbroker has
// one.
type PubSubBroker interface {
	// Follow has deliver called with each event that another node publishes, until stop is called: those of
	// one node in their order. retain is how many topics have their last event kept, for nodes that come
	// later; a node that comes, or was cut off, has each such event that it lacks delivered. deliver may be
	// called before Follow returns.
	Follow(retain int, deliver func(*Envelope)) (stop func(), err error)
	// Publish passes an event on to the other nodes, and does not wait for them. While they cannot be
	// reached, it keeps some events, and an error says that it has not kept this one.
	Publish(e *Envelope) error
}

// follow takes part in what other nodes publish.
func (p *PubSub) follow() {
	if p.config.Broker == nil || p.problem != nil {
		return
	}
	p.unfollow, p.problem = p.config.Broker.Follow(p.config.Retain, func(e *Envelope) {
		p.steps.do(func() { p.pass(e) })
	})
}

// passOn is the step that passes an event of this node's on to all.
func (p *PubSub) passOn(e *Envelope) {
	if p.over {
		return
	}
	p.pass(e)
	if p.config.Broker == nil {
		return
	}
	if err := p.config.Broker.Publish(e); err != nil {
		observable.ReportUnhandled(err, p)
	}
}
