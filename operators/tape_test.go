package operators_test

import (
	"fmt"
	"strings"
	"sync"
	"testing/synctest"
	"time"
)

// tape is an observer that records what it receives, as "1 2 |" or "1 #boom", and in a bubble of
// virtual time with the milliseconds, as "3:1 7:|", if it is started.
type tape[T any] struct {
	mu    sync.Mutex
	begun time.Time
	notes []string
}

// started returns a tape that records the time too.
func started[T any]() *tape[T] { return &tape[T]{begun: time.Now()} }

func (t *tape[T]) Next(v T)  { t.note(fmt.Sprint(v)) }
func (t *tape[T]) Complete() { t.note("|") }

// Error notes err without the place of a panic, which changes with the lines of a file.
func (t *tape[T]) Error(err error) {
	text, _, _ := strings.Cut(err.Error(), " (in ")
	t.note("#" + text)
}

func (t *tape[T]) note(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.begun.IsZero() {
		text = fmt.Sprintf("%d:%s", time.Since(t.begun).Milliseconds(), text)
	}
	t.notes = append(t.notes, text)
}

// String returns what was recorded.
func (t *tape[T]) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.notes, " ")
}

// pass lets virtual time pass, and everything due in it happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
