package main

import (
	"github.com/centrifugal/centrifuge"
	"github.com/nats-io/nats.go"
)

// natsChannel is a centrifuge.Broker over core NATS for one channel without history, as
// the library's documentation has one: publications go to a subject that all nodes listen
// to.
type natsChannel struct {
	url  string
	conn *nats.Conn
}

func (b *natsChannel) RegisterBrokerEventHandler(h centrifuge.BrokerEventHandler) (err error) {
	b.conn, err = subscribed(b.url, func(m *nats.Msg) {
		_ = h.HandlePublication(centrifugeChannel, &centrifuge.Publication{Data: m.Data}, centrifuge.StreamPosition{}, false, nil)
	})
	return err
}

func (b *natsChannel) Subscribe(...string) error   { return nil } // it listens already
func (b *natsChannel) Unsubscribe(...string) error { return nil }

func (b *natsChannel) Publish(_ string, data []byte, _ centrifuge.PublishOptions) (centrifuge.PublishResult, error) {
	return centrifuge.PublishResult{}, b.conn.Publish(subjectOfAll, data)
}

func (b *natsChannel) PublishJoin(string, *centrifuge.ClientInfo) error  { return nil }
func (b *natsChannel) PublishLeave(string, *centrifuge.ClientInfo) error { return nil }
func (b *natsChannel) RemoveHistory(string) error                        { return nil }

func (b *natsChannel) History(
	string, centrifuge.HistoryOptions,
) ([]*centrifuge.Publication, centrifuge.StreamPosition, error) {
	return nil, centrifuge.StreamPosition{}, nil
}

// centrifugeNode is a node of centrifuge with that broker.
func centrifugeNode(url string, opened func()) (*clusterNode, error) {
	broker := &natsChannel{url: url}
	node, err := newCentrifuge(broker, opened)
	if err == nil {
		node.stop = func(stop func()) func() {
			return func() {
				stop()
				broker.conn.Close()
			}
		}(node.stop)
	}
	return node, err
}
