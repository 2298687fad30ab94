package session

import (
	"sync"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// items are items whose owners are told together that they were sent.
type items struct{ list []*transport.Item }

// allItems holds their memory, so that an idle connection has none.
var allItems = sync.Pool{New: func() any { return new(items) }}

// newItems returns an empty list, to be released.
func newItems() *items { return allItems.Get().(*items) }

// release gives up the memory of the list.
func (s *items) release() {
	clear(s.list)
	s.list = s.list[:0]
	allItems.Put(s)
}

// tellSent tells the owners, those of a group at once.
func (s *items) tellSent() {
	for list := s.list; len(list) > 0; {
		noted := 1
		switch owner := list[0].Owner.(type) {
		case nil:
		case transport.Grouped:
			noted = owner.AllSent(list)
		default:
			owner.Done(list[0], transport.Sent, nil)
		}
		list = list[noted:]
	}
}
