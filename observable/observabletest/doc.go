// Package observabletest tests pipelines in virtual time: it has observables that play a
// marble string, recorders, and expectations that show where a stream and its marble
// part.
//
//	func TestDebounce(t *testing.T) {
//		observabletest.Run(t, func(t *observabletest.T) {
//			src := observabletest.Cold[string](t, "--a--b------c|")
//			calm := operators.DebounceTime(src, 5*time.Millisecond)
//			observabletest.ExpectMarble(t, calm, "----------b--(c|)")
//			src.ExpectSubscriptions("^------------!")
//		})
//	}
//
// # Marble strings
//
// The syntax is that of RxJS's TestScheduler. A frame is a millisecond ([Frame]).
//
//	symbol   meaning
//	-        a frame passes
//	a to 9   a value, by a letter or digit, in a frame of its own; see [Values]
//	|        the stream completes
//	#        the stream fails: with [ErrMarble] or the error of [Source.WithError]
//	(ab|)    all of this in the frame of the parenthesis; the group takes as many frames
//	         as it has characters, so that marks below each other are at the same time
//	^        the subscription; for a hot source, now
//	!        the end of the subscription
//	 10ms    so much time passes; between spaces or at an end of the string, in any form
//	         that time.ParseDuration takes: "a 9ms b" has b at 10ms
//	 @10ms   the next mark is 10ms after the first frame: for marks between two frames, or
//	         where a group leaves no room, as in "(ab) @1ms c"; RxJS has nothing like it
//
// A space is nothing, and serves to align marbles.
//
// [ParseMarble] names the problem of a string and its place with a [MarbleError]. A
// [Recorder] writes its record as a marble string, too.
//
// # Time, and the order within a frame
//
// [Run] opens a bubble of testing/synctest. Operators, sockets and the test use package
// time in it as anywhere, and an hour takes no time. The test function is plain Go: it
// may sleep, start goroutines, block on a stream ([observable.Collect], [Recorder.Await])
// and call synctest.Wait.
//
// The events due in one frame happen in this order, which is RxJS's, but for timers of no
// length:
//
//  1. unsubscriptions by the ! or the end of the marble in [ExpectMarble];
//  2. the marbles, in the order in which the hot sources were made and the cold ones
//     subscribed to. A group is one burst; all its effects, timers of no length included,
//     have happened before the next marble;
//  3. timers, among them those of operators and a time.Sleep of the test: first the
//     timers that a marble set, then the others. Timers that were set at once and are due
//     at once fire in an order that Go leaves open;
//  4. the first frame of a marble whose source was made, or subscribed to, in this frame.
//
// To make this order the same in every run, each of these happens some nanoseconds before
// or after the frame: time does not pass before everything is at rest. For that reason
// recorders and sources round times to 10 microseconds, and a test that measures times
// itself must do so too. A synctest.Wait, in which no time passes, comes before a first
// frame; a time.Sleep of a frame comes after it. For code that looks at the clock, as
// operators.BufferAligned does, the value of a marble comes just before its frame: in the
// frame of a bound, it belongs to the span that ends there.
//
// # Several subscribers
//
// [Record] subscribes and returns at once, [Recorder.ExpectMarble] compares the
// notifications so far:
//
//	shared := operators.Share(src)
//	first := observabletest.Record(t, shared)
//	time.Sleep(3 * time.Millisecond)
//	second := observabletest.Record(t, shared)
//	require.NoError(t, first.AwaitEnd())
//	require.NoError(t, second.AwaitEnd())
//	first.ExpectMarble(t, "--a--b--c|")
//	second.ExpectMarble(t, "--b--c|")
//
// A test that does not care about marbles reads a recorder otherwise: [Recorder.String]
// returns values, ends and the notes of the test in one line, as "1 2 torn down |", and
// [Recorder.TimedString] adds the milliseconds; [Recorder.ExpectEnd] waits for the end
// and returns its error; [Recorder.Unseen] returns the events since its last call. A
// recorder of [NewRecorder] needs no Run: it serves in any test, with or without virtual
// time.
//
// [Unhandled] records the failures that no observer hears.
//
// When the test function returns, no subscription may be left that does not end by
// itself: Run names those left, and synctest the goroutines left.
package observabletest
