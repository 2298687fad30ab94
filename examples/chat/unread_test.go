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

// unread is an expression: what the button of the lobby shows.
const unread = `[...document.querySelectorAll("#rooms button")].find(b => b.textContent === "lobby").dataset.unread`

// TestUnread has a page leave a room for another, and be hidden, while something is said.
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
	assert.Equal(t, "lobby", b.Evaluate(`document.title`), "what is looked at is read")

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
	assert.Equal(t, "before,New,one,two", b.Evaluate(texts), "each once, and what is new below a line")

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
	assert.Equal(t, "lobby", b.Evaluate(`document.title`), "who comes for the first time has nothing unread")
	assert.Empty(t, b.Faults)
}

// texts is an expression: the lines that are shown, and the one above what is unread.
const texts = `[...document.querySelectorAll("#said > .new, #said .text")].map(line => line.textContent).join()`

// TestUnreadStaysUnread: who leaves a room with something unread finds all of that unread, and what is sent twice is
// counted once.
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
	bob.expect(hub.Changed, "ann", "away") // she is in the lobby again: no room keeps what only she is told
	bob.send("say", "three", "")
	for range 2 {
		bob.socket.Next(wsource.TextMessage(`{"kind":"tell","text":"four","to":"ann","id":"4"}`)) // as if its echo was lost
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
