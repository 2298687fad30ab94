package diagram_test

import (
	"fmt"
	"strings"

	"github.com/rxsocket/rxsocket/observable/observabletest/draw/diagram"
)

// The content of a row of a diagram, column by column.
func ExampleParse() {
	words := map[diagram.Kind]string{
		diagram.Value: "value", diagram.Complete: "completes", diagram.Failure: "fails",
		diagram.Subscribed: "subscribed", diagram.Unsubscribed: "unsubscribed", diagram.GoesOn: "goes on",
	}
	d, ok := diagram.Parse([]string{
		"src:           --1--2--|",
		"EndWith(8, 9): --1--2--(89|)",
	})
	fmt.Println(ok)
	tell := func(m diagram.Mark) { fmt.Println(m.Column, m.Time(), words[m.Kind], m.Text) }
	for _, row := range d.Rows {
		line := row.Lines[0]
		fmt.Println(row.Label, line.From, line.To)
		for _, m := range row.Marks {
			tell(m)
		}
	}
	// Output:
	// true
	// src 0 9
	// 2 2 value 1
	// 5 5 value 2
	// 8 8 completes |
	// EndWith(8, 9) 0 13
	// 2 2 value 1
	// 5 5 value 2
	// 9 8 value 8
	// 10 8 value 9
	// 11 8 completes |
}

// The operators of a package have diagrams, and its comment has the families that lead to
// them.
func ExampleReadPackage() {
	ops, families, err := diagram.ReadPackage("../../../../operators")
	if err != nil {
		fmt.Println(err)
		return
	}
	show := func(op diagram.Operator) {
		fmt.Println(op.Synopsis)
		fmt.Println(op.Diagram.Text)
	}
	show(ops["Take"])
	for _, family := range families {
		for _, leaf := range family.Leaves {
			if strings.HasPrefix(strings.Join(leaf.Operators, " "), "Take ") {
				fmt.Println(family.Title, "-", leaf.Wish)
			}
		}
	}
	// Output:
	// Take emits the first count values, and completes with the last of them.
	// src:     --1--2--3--4--|
	// Take(2): --1--(2|)
	// I want some of the values - the first ones
}
