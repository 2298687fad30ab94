//go:build unix

package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

const live = `document.documentElement.dataset.state === "open"`

const away = "!(" + live + ")"

// logIn opens the chat's page and fills in its form, by mouse and keys.
func logIn(b *browsertest.Browser, url, name, password string) {
	b.Open(url)
	b.Click("#name")
	b.Type(name)
	b.Press("Tab")
	b.Type(password)
	b.Press("Enter")
	b.Until(live)
}

// say types a line and sends it.
func say(b *browsertest.Browser, text string) {
	b.Click("#text")
	b.Type(text)
	b.Press("Enter")
}

// lines is an expression: how many lines of the conversation have exactly this text.
func lines(text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#said .text")].filter(line => line.textContent === %q).length`, text)
}

// converse has two people speak by turns, and waits until both pages show it.
func converse(ann, bob *browsertest.Browser, number int) {
	for who, page := range map[string]*browsertest.Browser{"ann": ann, "bob": bob} {
		text := fmt.Sprintf("%s says %d", who, number)
		say(page, text)
		ann.Until(lines(text) + ` === 1`)
		bob.Until(lines(text) + ` === 1`)
	}
}

// repeated is an expression: the lines of the conversation that are there more than once.
const repeated = `(() => {
	const texts = [...document.querySelectorAll("#said .text")].map(line => line.textContent);
	return texts.filter((text, i) => texts.indexOf(text) !== i);
})()`

// latest has the page's latest socket where an expression reaches it.
const latest = `
	var latest;
	WebSocket = class extends WebSocket {
		constructor(...about) {
			super(...about);
			latest = this;
		}
	};`

// Two pages talk. The server stops, dies, and dies with a message that was sent to it:
// each time both come back, and have everything once.
func testChat(t *testing.T, ann *browsertest.Browser) {
	bob := ann.Another(t)
	chat := start(t, "chat", "-users", "ann:a,"+longName+":b,bob:b")
	ann.Call("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": latest}, nil)
	lookAtChat(t, ann, bob, chat)
	logIn(ann, chat.url(), "ann", "a")
	logIn(bob, chat.url(), "bob", "b")
	// until waits until a condition holds in both pages.
	until := func(condition string) {
		t.Helper()
		ann.Until(condition)
		bob.Until(condition)
	}
	converse(ann, bob, 1)

	chat.stop()
	until(away)
	say(ann, "kept in its line")
	assert.Equal(t, "kept in its line", ann.Evaluate(`document.querySelector("#text").value`))
	chat.start()
	until(live)
	ann.Press("Enter")
	until(lines("kept in its line") + ` === 1`)
	converse(ann, bob, 2)

	chat.kill()
	until(away)
	chat.start()
	until(live)
	converse(ann, bob, 3)

	chat.freeze()
	say(ann, "on its way")
	ann.Until(`document.querySelector("#text").value === ""`)
	chat.kill()
	until(away)
	chat.start()
	until(lines("on its way") + ` === 1 && !document.querySelector("#said .waiting")`)
	until(live)
	converse(ann, bob, 4)

	// A line is said, and the server dies before the speaker's page knows.
	ann.Evaluate(`latest.onmessage = null`)
	say(ann, "heard by bob")
	bob.Until(lines("heard by bob") + ` === 1`)
	chat.kill()
	until(away)
	chat.start()
	until(live + ` && !document.querySelector("#said .waiting")`)
	converse(ann, bob, 5)

	for _, b := range []*browsertest.Browser{ann, bob} {
		assert.Empty(t, b.Evaluate(repeated))
		for n := range 5 {
			assert.EqualValues(t, 2, b.Evaluate(lines(fmt.Sprintf("ann says %d", n+1))+"+"+lines(fmt.Sprintf("bob says %d", n+1))))
		}
		onlyAbsence(t, b)
	}
}

// turn turns a phone: a reader at the end of the conversation stays there, and no other
// is taken there.
func turn(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	const atEnd = `(log => log.scrollHeight > log.clientHeight && log.scrollHeight - log.scrollTop - log.clientHeight < 10)(document.querySelector("#log"))`
	b.Resize(320, 568)
	b.Until(atEnd)
	b.Resize(568, 320)
	b.Until(atEnd)
	b.Evaluate(`document.querySelector("#log").scrollTo({ top: 0, behavior: "instant" })`)
	settle(b)
	b.Resize(320, 568)
	settle(b)
	assert.Equal(t, false, b.Evaluate(atEnd))
	b.Evaluate(`document.querySelector("#log").scrollTo({ top: 1e6, behavior: "instant" })`)
	b.Until(atEnd)
	b.Resize(1280, 800)
}

const longName = "bartholomew-of-the-long-names"

// lookAtChat looks at the chat before the first visitor, and in a conversation.
func lookAtChat(t *testing.T, ann, bob *browsertest.Browser, chat *program) {
	t.Helper()
	ann.Open(chat.url())
	look(t, ann, "chat-login")
	logIn(ann, chat.url(), "ann", "a")
	look(t, ann, "chat-empty")
	logIn(bob, chat.url(), longName, "b")
	say(bob, "Has somebody seen the minutes?")
	say(ann, "They are in the garden, where we left them.")
	say(ann, "https://example.org/a-very-long-address-that-has-no-blank-in-it-and-goes-on-for-more-than-one-line-of-a-phone")
	say(bob, "/tell ann thank you, I shall look there; and I have got something else to tell, but later")
	bob.Type("x")
	ann.Until(lines("thank you, I shall look there; and I have got something else to tell, but later") + ` === 1`)
	ann.Until(`document.querySelector("#typing").textContent !== ""`)
	look(t, ann, "chat")
	turn(t, ann)
	const garden = `[...document.querySelectorAll("#rooms button")].find(b => b.textContent === "garden")`
	ann.Evaluate(garden + `.click()`)
	bob.Until(`document.querySelector("#there .away") !== null`)
	for _, text := range []string{" never mind", "I have found them."} {
		say(bob, text)
	}
	ann.Until(`document.title === "(2) garden"`)
	look(t, ann, "chat-elsewhere")
	ann.Click("#rooms button")
	ann.Until(lines("I have found them.") + ` === 1 && document.querySelector("#said .new") !== null`)
	look(t, ann, "chat-unread")
	lookAtHues(t, ann)
	assert.Empty(t, append(ann.Faults, bob.Faults...))
}

// lookAtHues looks at the names in each colour that a name may have.
func lookAtHues(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	for _, dark := range []bool{true, false} {
		b.Dark(dark)
		for hue := 0; hue < 360; hue += 20 {
			b.Evaluate(fmt.Sprintf(`document.querySelectorAll(".name").forEach(name => name.style.setProperty("--hue", %d))`, hue))
			settle(b)
			assert.Empty(t, b.Evaluate(lookScript), "hue %d, dark %v", hue, dark)
		}
	}
}
