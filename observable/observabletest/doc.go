// Package observabletest tests pipelines in virtual time: it has observables that emit what a marble string
// says, recorders, and expectations that show where a stream and its marble part.
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
//	symbol   what it stands for
//	-        a frame passes
//	a to 9   a value, by a letter or digit, in a frame of its own; see [Values]
//	|        the stream completes
//	#        the stream fails: with [ErrMarble] or what [Source.WithError] says
//	(ab|)    all of this in the frame of the parenthesis; the group takes as many frames as it has
//	         characters, so that what stands below each other is at the same time
//	^        the subscription; for a hot source, now
//	!        the end of the subscription
//	 10ms    so much time passes; between spaces or at an end of the string, and anything that
//	         time.ParseDuration takes: "a 9ms b" has b at 10ms
//	 @10ms   what follows is 10ms after the first frame: for what a group leaves no room for, or
//	         what is between two frames, as in "(ab) @1ms c"; RxJS has nothing like it
//
// A space is nothing, and serves to align marbles.
//
// [ParseMarble] says with a [MarbleError] what is wrong with a string and where. A [Recorder] writes what
// it has recorded as a marble string, too.
//
// # Time, and what is first in a frame
//
// [Run] opens a bubble of testing/synctest. Operators, sockets and the test use package time in it as
// anywhere, and an hour takes no time. The test function is plain Go: it may sleep, start goroutines, block on
// a stream ([observable.Collect], [Recorder.Await]) and call synctest.Wait.
//
// What is due in one frame happens in this order, which is that of RxJS, but for timers of no length:
//
//  1. unsubscriptions by the ! or the end of the marble in [ExpectMarble];
//  2. the marbles, in the order in which the hot sources were made and the cold ones subscribed to. A group is
//     one burst; everything it leads to, timers of no length included, has happened before the next marble;
//  3. timers, those of operators and a time.Sleep of the test among them: first those that a marble set, then
//     the others. Timers that were set at once and are due at once fire in an order that Go leaves open;
//  4. the first frame of a marble whose source was made, or subscribed to, in this frame.
//
// To make this order the same in every run, each of these happens some nanoseconds before or after the
// frame: time does not pass before everything is at rest. Recorders and sources round times to 10 microseconds
// for that reason, as a test does that measures times of its own. A synctest.Wait, in which no time passes,
// comes before a first frame; a time.Sleep of a frame comes after it.
//
// # Several subscribers
//
// [Record] subscribes and returns at once, [Recorder.ExpectMarble] compares what came so far:
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
// A test that does not care about marbles reads a recorder otherwise: [Recorder.String] tells
// values, ends and the notes of the test in one line, as "1 2 torn down |", and
// [Recorder.TimedString] with the milliseconds; [Recorder.ExpectEnd] waits for the end and
// returns its error; [Recorder.Unseen] returns what is new since the last look. A recorder of
// [NewRecorder] needs no Run: it serves in any test, with or without virtual time.
//
// [Unhandled] records the failures that no observer hears.
//
// When the test function returns, no subscription may be left that does not end by itself: Run tells
// which there are, and synctest which goroutines.
package observabletest
