package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

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
	visit(b, url, "ann", "a")
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
	const texts = `[...document.querySelectorAll("#said > .new, #said .text")].map(line => line.textContent).join()`
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
