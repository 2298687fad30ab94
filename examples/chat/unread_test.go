package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// go to a room by its button.
func goTo(b *browsertest.Browser, room string) {
	b.Evaluate(`[...document.querySelectorAll("#rooms button")].find(b => b.textContent === "` + room + `").click()`)
	b.Until(live + ` && find("title").textContent === "` + room + `"`)
}

// unread is an expression: the count that the button of the lobby shows.
const unread = `[...document.querySelectorAll("#rooms button")].find(b => b.textContent === "lobby").dataset.unread`

// TestUnread has a page leave a room for another, and be hidden, while lines are said.
func TestUnread(t *testing.T) {
	b := browsertest.Start(t, false)
	url, _ := start(t, "127.0.0.1:0")
	visit(b, url, "a")
	b.Until(live)
	bob := mustEnter(t, url, "bob", "b", "lobby")
	bob.expect(hub.Welcome, "bob", "")
	bob.send("say", "before", "")
	bob.expect(hub.Said, "bob", "before")
	b.Until(lines("before") + " === 1")
	assert.Equal(t, "lobby", b.Evaluate(`document.title`), "a line in view is read")

	goTo(b, "garden")
	bob.expect(hub.Changed, "ann", "away")
	bob.send("say", "one", "")
	bob.send("tell", "two", "ann")
	b.Until(unread + ` === "2" && document.title === "(2) garden"`)
	assert.Equal(t, "lobby, 2 unread", b.Evaluate(`document.querySelector("#rooms button").ariaLabel`))
	bob.expect(hub.Said, "bob", "one")
	bob.expect(hub.Said, "bob", "two")

	goTo(b, "lobby")
	bob.expect(hub.Changed, "ann", "online")
	b.Until(lines("two") + ` === 1 && document.title === "lobby" && ` + unread + ` === undefined`)
	assert.Equal(t, "before,New,one,two", b.Evaluate(texts), "each once, and the new ones below a rule")

	b.Evaluate(`Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true }); window.hidden = true`)
	say(b, "away for a moment")
	bob.send("say", "three", "")
	b.Until(`document.title === "(1) lobby"`)
	b.Evaluate(`window.hidden = false; document.dispatchEvent(new Event("visibilitychange"))`)
	assert.Equal(t, "lobby", b.Evaluate(`document.title`))
	assert.Equal(t, "before,one,two,away for a moment,New,three", b.Evaluate(texts))

	b.Evaluate(`find("leave").click()`)
	logIn(b, "ann", "a")
	b.Until(live + " && " + lines("three") + " === 1")
	assert.Equal(t, "lobby", b.Evaluate(`document.title`), "a first visit has nothing unread")
	assert.Empty(t, b.Faults)
}

// TestNothingIsLostBetweenRooms: no room keeps a private line, so the page is in a room
// until it is in the next one, on the way there and back.
func TestNothingIsLostBetweenRooms(t *testing.T) {
	b := browsertest.Start(t, false)
	url, _ := start(t, "127.0.0.1:0")
	visit(b, url, "a")
	b.Until(live)
	bob := mustEnter(t, url, "bob", "b", "lobby")
	bob.expect(hub.Welcome, "bob", "")
	tell := func(text string) {
		t.Helper()
		bob.socket.Next(wsource.TextMessage(`{"kind":"tell","text":"` + text + `","to":"ann","id":"` + text + `"}`))
		bob.expect(hub.Said, "bob", text)
	}
	b.Until(`find("there").textContent.includes("bob")`)
	say(b, "/tell bob hello") // the echo may come when the page shows the other room
	leaveFor := func(room string) {
		b.Evaluate(`(() => {
			const real = fetch, held = new Promise(resolve => { goOn = resolve; });
			fetch = async (...asked) => {
				fetch = real;
				await held;
				return fetch(...asked);
			};
			[...document.querySelectorAll("#rooms button")].find(b => b.textContent === "` + room + `").click();
		})()`)
	}
	leaveFor("garden")
	bob.expect(hub.Said, "ann", "hello")
	bob.expect(hub.Changed, "ann", "away")
	tell("one")
	b.Until(unread + ` === "1"`)
	b.Evaluate(`goOn()`)
	b.Until(live)

	leaveFor("lobby")
	tell("two")
	b.Evaluate(`goOn()`)
	b.Until(live + " && " + lines("one") + " === 1 && " + lines("two") + " === 1")
	assert.Equal(t, "New,one,two", b.Evaluate(texts))
	b.Until(`sockets.filter(socket => socket.readyState === WebSocket.OPEN).length === 2`)
	b.Evaluate(`find("leave").click()`)
	assert.Empty(t, b.Faults)
}

// texts is an expression: the lines that are shown, and the one above the unread lines.
const texts = `[...document.querySelectorAll("#said > .new, #said .text")].map(line => line.textContent).join()`

// TestUnreadStaysUnread: a user that leaves a room with unread lines finds all of them
// unread, and a line that is sent twice counts once.
func TestUnreadStaysUnread(t *testing.T) {
	b := browsertest.Start(t, false)
	url, _ := start(t, "127.0.0.1:0")
	visit(b, url, "a")
	b.Until(live)
	bob := mustEnter(t, url, "bob", "b", "lobby")
	bob.send("say", "read", "")
	b.Until(lines("read") + " === 1")

	b.Evaluate(`Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true }); window.hidden = true`)
	bob.send("tell", "one", "ann")
	bob.send("say", "two", "")
	b.Until(`document.title === "(2) lobby"`)
	goTo(b, "garden")
	bob.expect(hub.Welcome, "bob", "")
	for _, text := range []string{"read", "one", "two"} {
		bob.expect(hub.Said, "bob", text)
	}
	bob.send("say", "three", "")
	for range 2 {
		// Its echo may have been lost.
		bob.socket.Next(wsource.TextMessage(`{"kind":"tell","text":"four","to":"ann","id":"4"}`))
	}
	bob.send("say", "five", "")
	b.Until(unread + ` === "5"`)
	b.Evaluate(`window.hidden = false; document.dispatchEvent(new Event("visibilitychange"))`)
	assert.Equal(t, "5", b.Evaluate(unread), "of another room than the one that is looked at")

	goTo(b, "lobby")
	b.Until(lines("four") + ` === 1 && document.title === "lobby"`)
	assert.Equal(t, "read,New,two,three,five,one,four", b.Evaluate(texts))
	assert.Empty(t, b.Faults)
}
