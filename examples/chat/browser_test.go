package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// globals has find, and the sockets of a page, where the expressions of a test reach
// them.
const globals = `
	var find = id => document.getElementById(id), sockets = [];
	var goOn;
	WebSocket = class extends WebSocket {
		constructor(...about) {
			super(...about);
			sockets.push(this);
		}
	};`

// visit opens the page, and ann logs in.
func visit(b *browsertest.Browser, url, password string) {
	b.Call("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": globals}, nil)
	b.Open(url)
	logIn(b, "ann", password)
}

func logIn(b *browsertest.Browser, name, password string) {
	b.Evaluate(fmt.Sprintf(`(() => {
		find("name").value = %q;
		find("password").value = %q;
		find("login").requestSubmit();
	})()`, name, password))
}

// say types a line and sends it by the Enter key.
func say(b *browsertest.Browser, text string) {
	b.Evaluate(`find("text").focus()`)
	b.Type(text)
	b.Press("Enter")
}

// shown is an expression: whether a line of the conversation contains a text.
func shown(text string) string {
	return fmt.Sprintf(`[...find("said").children].some(line => line.textContent.includes(%q))`, text)
}

const live = `document.documentElement.dataset.state === "open"`

func TestPage(t *testing.T) {
	b := browsertest.Start(t, false)
	url, interrupt := start(t, "127.0.0.1:0")
	visit(b, url, "wrong")
	b.Until(`!find("problem").hidden && !find("welcome").hidden`)
	assert.Equal(t, "There is no such name and password.", b.Evaluate(`find("problem").textContent.trim()`))
	logIn(b, "ann", "a")
	b.Until(live)

	bob := mustEnter(t, url, "bob", "b", "lobby")
	bob.expect(hub.Welcome, "bob", "")
	b.Until(shown("bob has come"))
	bob.send("status", "typing", "")
	b.Until(`find("typing").textContent === "bob is typing …"`)
	bob.send("say", "<b>hello</b>", "")
	b.Until(shown("<b>hello</b>")) // as text
	bob.expect(hub.Changed, "bob", "typing")
	bob.expect(hub.Said, "bob", "<b>hello</b>")
	say(b, "hi!")
	bob.expect(hub.Changed, "ann", "typing")
	bob.expect(hub.Said, "ann", "hi!")
	bob.expect(hub.Changed, "ann", "online")
	b.Evaluate(`[...document.querySelectorAll("#there button")].find(b => b.textContent === "bob").click()`)
	say(b, "psst")
	assert.True(t, bob.expect(hub.Said, "ann", "psst").Private)
	b.Until(shown("you to bob") + " && " + shown("psst"))

	// The connection breaks; no line said meanwhile is missed, and none comes twice.
	// Meanwhile bob logs in on another page of the browser.
	b.Evaluate(`(() => {
		const real = fetch, held = new Promise(resolve => { goOn = resolve; });
		fetch = async (...asked) => {
			fetch = real;
			await held;
			const answer = await fetch(...asked);
			await fetch("/login", { method: "POST", headers: { Authorization: "Basic " + btoa("bob:b") } });
			return answer;
		};
		sockets.at(-1).close();
	})()`)
	b.Until(`!(` + live + `)`)
	bob.send("say", "are you there?", "")
	bob.expect(hub.Said, "bob", "are you there?")
	b.Evaluate(`goOn()`)
	b.Until(live)
	b.Until(shown("are you there?"))
	say(b, "it is me")
	b.Until(`[...document.querySelectorAll("#said .mine")].some(line => line.textContent.includes("it is me"))`)
	assert.EqualValues(t, 1, b.Evaluate(`[...find("said").children].filter(line => line.textContent.includes("hello")).length`))

	// The server restarts; the page comes back by itself, and text typed meanwhile stays.
	interrupt()
	b.Until(`find("state").textContent.startsWith("no connection")`)
	say(b, "later")
	b.Until(shown("your text is kept"))
	start(t, strings.TrimPrefix(url, "http://"))
	b.Until(live)
	b.Until(shown("Something may be missing here"))
	say(b, " on")
	b.Until(shown("later on"))

	b.Evaluate(`[...document.querySelectorAll("#rooms button")].find(b => b.textContent === "garden").click()`)
	b.Until(live + ` && document.title === "garden"`)
	b.Until(`!(` + shown("later on") + `)`)
	// The page has both rooms: a browser warns of a socket that is closed as it opens.
	b.Until(`sockets.filter(socket => socket.readyState === WebSocket.OPEN).length === 2`)
	b.Evaluate(`find("leave").click()`)
	b.Until(`!find("welcome").hidden`)
	assert.Empty(t, b.Evaluate(`find("password").value`))
	for _, fault := range b.Faults {
		assert.Regexp(t, `ERR_CONNECTION_REFUSED|status of 401|status of 503`, fault)
	}
}

// Two people have colours that are easy to tell apart, even if their names have nearly
// the same.
func TestColours(t *testing.T) {
	b := browsertest.Start(t, false)
	url, _ := startOn(t)
	for _, name := range []string{"eve", "eva"} {
		mustEnter(t, url, name, "e", "lobby")
	}
	visit(b, url, "a")
	b.Until(`document.querySelectorAll("#there .name").length === 3`)
	apart := b.Evaluate(`(() => {
		const [a, b] = ["eve", "eva"].map(name => [...document.querySelectorAll("#there .name")].find(e => e.textContent === name))
			.map(e => Number(e.style.getPropertyValue("--hue")));
		return Math.min(Math.abs(a - b), 360 - Math.abs(a - b));
	})()`)
	assert.GreaterOrEqual(t, apart, 15.0)
}
