package each_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

func TestCall(t *testing.T) {
	for name, end := range map[string]func(){"nothing": func() {}, "Goexit": runtime.Goexit, "panic": func() { panic("oops") }} {
		t.Run(name, func(t *testing.T) {
			var got []int
			returned, done := false, make(chan any)
			go func() {
				defer func() { done <- recover() }()
				each.Call([]int{1, 2, 3}, func(v int) {
					got = append(got, v)
					end()
				})
				returned = true
			}()
			recovered := <-done
			assert.Equal(t, []int{1, 2, 3}, got)
			assert.Equal(t, name == "nothing", returned)
			assert.Equal(t, name == "panic", recovered != nil)
		})
	}
}
