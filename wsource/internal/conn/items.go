package conn

import (
	"sync"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Items are items of which is told at once that they were sent.
type Items struct{ List []*transport.Item }

// allItems holds their memory, so that an idle connection has none.
var allItems = sync.Pool{New: func() any { return new(Items) }}

// NewItems returns an empty list, to be released.
func NewItems() *Items { return allItems.Get().(*Items) }

// Release gives up the memory of the list.
func (s *Items) Release() {
	clear(s.List)
	s.List = s.List[:0]
	allItems.Put(s)
}

// TellSent tells the owners, those together that can be.
func (s *Items) TellSent() {
	for list := s.List; len(list) > 0; {
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
