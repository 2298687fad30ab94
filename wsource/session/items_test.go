package session

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// group is an Owner that takes note of two items at once, and counts these.
type group struct{ told []int }

func (g *group) AllSent(items []*transport.Item) (noted int) {
	for noted < min(2, len(items)) && items[noted].Owner == transport.Owner(g) {
		noted++
	}
	g.told = append(g.told, noted)
	return noted
}

func (g *group) Done(*transport.Item, transport.Outcome, error) { panic("it is told of several") }

// single is an Owner that is told of each item.
type single struct{ told int }

func (s *single) Done(*transport.Item, transport.Outcome, error) { s.told++ }

// TestItems: all are told once, those together whose owner takes note of them.
func TestItems(t *testing.T) {
	t.Parallel()
	g, o := new(group), new(single)
	sent := newItems()
	for _, of := range []transport.Owner{g, g, g, nil, o, g} {
		sent.list = append(sent.list, &transport.Item{Data: []byte("item"), Owner: of})
	}
	sent.tellSent()
	sent.release()
	assert.Equal(t, 1, o.told)
	assert.Equal(t, []int{2, 1, 1}, g.told)
}
