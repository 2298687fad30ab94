"use strict";
// The page asks for state.json again and again, and draws the marbles of the last
// seconds.

const root = document.documentElement, find = id => document.getElementById(id);
const every = 500, span = 10_000, delay = 700; // milliseconds; the drawing lags a little, so that it moves evenly
const still = matchMedia("(prefers-reduced-motion: reduce)");
const rows = new Map(); // the rows of streams, by the streams' ids; several streams share a row
let since = 0, socket = "", paused = false, failures = 0, timer = 0, asking = null;
let before = [];           // earlier counts of sockets: of the last three seconds, and one before
let clock = { at: 0, seen: 0 }; // the server's time of the last snapshot, and the time here

// --- asking ----------------------------------------------------------------------------

async function ask() {
	clearTimeout(timer);
	asking?.abort();
	if (paused || document.hidden) return;
	const mine = asking = new AbortController();
	let wait = every;
	try {
		const query = new URLSearchParams({ since, q: find("filter").value, socket });
		const response = await fetch(`state.json?${query}`, { signal: mine.signal });
		if (!response.ok) throw new Error(`${response.status}: ${(await response.text()).trim()}`);
		show(await response.json());
		failures = 0;
		tell("live", "live");
	} catch (error) {
		if (mine.signal.aborted) return;
		wait = Math.min(5000, every * 2 ** ++failures);
		tell("lost", error instanceof TypeError ? `no connection, trying again every ${wait / 1000} s` : error.message);
		before = [];
	}
	timer = setTimeout(ask, wait);
}

function tell(state, text) {
	root.dataset.state = state;
	if (find("state").textContent !== text) find("state").textContent = text;
}

function pause(to) {
	paused = to;
	find("pause").setAttribute("aria-pressed", paused);
	find("pause").textContent = paused ? "Go on" : "Pause";
	if (paused) tell("paused", "paused");
	else { before = []; ask(); }
}

function only(id) {
	socket = id;
	find("all").hidden = !id;
	find("all").textContent = `All sockets, not only ${id}`;
	ask();
}

find("pause").onclick = () => pause(!paused);
find("all").onclick = () => only("");
find("filter").oninput = () => { clearTimeout(timer); timer = setTimeout(ask, 150); };
find("controls").onsubmit = event => event.preventDefault();
document.onvisibilitychange = ask;
document.onkeydown = event => {
	if (event.target.closest("input, button, summary, a")) return;
	if (event.key === " ") { event.preventDefault(); pause(!paused); }
	if (event.key === "/") { event.preventDefault(); find("filter").focus(); }
};

// --- showing ---------------------------------------------------------------------------

function show(now) {
	if (now.marble < since) { // the program was started anew
		new Set(rows.values()).forEach(row => row.remove());
		before = [];
		since = 0;
	} else since = now.marble;
	const at = Date.parse(now.at);
	const drift = at - (clock.at + performance.now() - clock.seen);
	if (Math.abs(drift) > 1000) clock = { at, seen: performance.now() };
	else clock = { at: clock.at + performance.now() - clock.seen + drift / 8, seen: performance.now() };
	while (before[1]?.at <= at - 3000) before.shift();
	showTotals(now.sockets, at, now.streams);
	showStreams(now.streams.shown);
	showSockets(now.sockets, at);
	table(find("names"), ["name", "#live", "#subscriptions", "#values", "#errors", "#completions"],
		now.streams.names.map(n => [n.name, n.live, n.subscribed, n.values, n.errors, n.completed]));
	find("parts-section").hidden = !now.parts.length;
	fill(find("parts"), now.parts.flatMap(p => [["dt", p.name], ["dd", p.text]]));
	before.push({ at, all: now.sockets, each: new Map(now.sockets.shown.map(s => [s.id, s])) });
	root.dataset.shown = Number(root.dataset.shown ?? 0) + 1;
}

function showTotals(now, at, streams) {
	const first = before[0];
	const per = field => first && at > first.at ? 1000 * (now[field] - first.all[field]) / (at - first.at) : 0;
	const queued = now.shown.reduce((sum, s) => sum + s.queued, 0), slow = now.shown.filter(s => s.slow).length;
	const totals = [
		["sockets", now.open], ["streams", streams.live],
		["received", `${rate(per("received"))}`], ["sent", `${rate(per("sent"))}`],
		["bytes in", `${bytes(per("receivedBytes"))}/s`], ["bytes out", `${bytes(per("sentBytes"))}/s`],
		["queued", queued], ["slow", slow, slow > 0], ["not sent", now.dropped, now.dropped > 0],
		["failed", now.failed, now.failed > 0], ["refused", now.refused], ["reconnects", now.reconnects],
	];
	const list = find("totals");
	totals.forEach(([name, value, bad], n) => {
		let tile = list.children[n];
		if (!tile) {
			tile = list.appendChild(document.createElement("div"));
			tile.append(element("dt", name), element("dd"));
		}
		tile.className = bad ? "bad" : "";
		tile.lastChild.textContent = value;
	});
}

function showSockets(now, at) {
	const per = (s, field) => {
		const first = before.find(b => b.each.has(s.id));
		return first && at > first.at ? rate(1000 * (s[field] - first.each.get(s.id)[field]) / (at - first.at)) : "";
	};
	find("no-sockets").hidden = now.shown.length > 0;
	find("sockets").hidden = !now.shown.length;
	const heads = ["socket", "peer", "path", "state", "#age", "#round trip", "#in", "#out", "#queued", "#not sent", "session", "#waits"];
	table(find("sockets"), heads, now.shown.map(s => [
		s.id, [s.remote, s.key && `(${s.key})`].filter(Boolean).join(" "), s.path ?? s.side, s.state, time(s.age),
		s.rtt ? `${s.rtt < 10 ? s.rtt.toFixed(1) : Math.round(s.rtt)} ms` : "", per(s, "received"), per(s, "sent"),
		s.queued ? `${s.queued} (${bytes(s.queuedBytes)})` : "", s.dropped || "", position(s.session), s.waiting ? time(s.waiting) : "",
	]), n => ({ slow: now.shown[n].slow, id: now.shown[n].id }));
	table(find("ended"), ["socket", "peer", "path", "ended", "#age", "code"], now.ended.map(s => [
		s.id, [s.remote, s.key && `(${s.key})`].filter(Boolean).join(" "), s.path ?? "", new Date(s.at).toLocaleTimeString(),
		time(s.age), `${s.code} ${s.why.replace(`${s.code}`, "").trim()}`,
	]));
}

// position tells the position of a session: the messages in and out, and those not
// acknowledged.
function position(session) {
	if (!session) return "";
	const left = session.sent - session.acknowledged;
	return `in ${session.received}, out ${session.sent}${left ? `, ${left} not acknowledged` : ""}`;
}

// table fills a table in place, so that the focus stays. A head with # is of numbers. In
// a row about a socket, as row says, the first cell is a button that shows that socket
// only.
function table(target, heads, lines, row) {
	if (!target.tHead) {
		const line = target.createTHead().insertRow();
		heads.forEach(text => {
			const cell = line.appendChild(element("th", text.replace("#", "")));
			cell.scope = "col";
			if (text[0] === "#") cell.className = "number";
		});
		target.createTBody();
	}
	const body = target.tBodies[0];
	while (body.rows.length > lines.length) body.deleteRow(-1);
	lines.forEach((cells, n) => {
		const line = body.rows[n] ?? body.insertRow(), about = row?.(n);
		line.className = about?.slow ? "slow" : "";
		cells.forEach((text, c) => {
			const cell = line.cells[c] ?? line.insertCell();
			if (heads[c][0] === "#") cell.className = "number";
			let target = cell;
			if (!c && about) {
				target = cell.firstChild ?? cell.appendChild(element("button"));
				target.onclick = () => only(about.id);
				target.title = "only this socket and its streams";
			}
			if (target.textContent !== String(text)) target.textContent = text;
		});
	});
}

function fill(target, elements) {
	elements.forEach(([name, text], n) => {
		const child = target.children[n] ?? target.appendChild(element(name));
		if (child.textContent !== text) child.textContent = text;
	});
	while (target.children.length > elements.length) target.lastChild.remove();
}

function element(name, text = "") {
	const made = document.createElement(name);
	made.textContent = text;
	return made;
}

function rate(n) { return n >= 1000 ? `${(n / 1000).toFixed(1)}k/s` : `${n >= 10 || n === 0 ? Math.round(n) : n.toFixed(1)}/s`; }

function bytes(n) {
	const power = Math.min(4, Math.floor(Math.log2(Math.max(1, n)) / 10));
	return `${(n / 1024 ** power).toFixed(power && n < 100 * 1024 ** power ? 1 : 0)} ${["", "Ki", "Mi", "Gi", "Ti"][power]}B`;
}

function time(ms) {
	const s = ms / 1000;
	if (s < 10) return `${s.toFixed(1)} s`;
	if (s < 100) return `${Math.round(s)} s`;
	return s < 6000 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3600)} h`;
}

// --- streams ---------------------------------------------------------------------------

// A row has one stream, and before it the ended streams of the same place, as a retry
// leaves them.
function showStreams(shown) {
	const live = new Set(shown.filter(s => !s.end).map(s => s.id)), places = new Map(), lanes = [];
	for (const s of shown.toSorted((a, b) => a.id - b.id)) {
		const key = `${s.into ?? 0} ${s.socket ?? ""} ${s.name}`;
		let lane = places.get(key);
		if (!lane || live.has(lane.id)) places.set(key, lane = { key, all: [] }), lanes.push(lane);
		lane.all.push(s);
		lane.id = s.id;
		lane.now = s;
	}
	const byId = new Map(lanes.map(lane => [lane.id, lane])), into = new Map();
	for (const lane of lanes) {
		const parent = byId.has(lane.now.into) ? lane.now.into : 0;
		if (lane.now.end && lane.now.into && !parent) continue; // it is over with its parent
		into.set(parent, [...into.get(parent) ?? [], lane]);
	}
	// A stream stands above the streams that go into it.
	const list = find("streams"), used = new Set();
	let place = list.firstChild;
	const put = (parent, depth) => {
		for (const lane of into.get(parent) ?? []) {
			const row = lane.all.map(s => rows.get(s.id)).find(r => r && !used.has(r)) ?? new Row(lane.now);
			used.add(row);
			row.update(lane, depth);
			if (row.box === place) place = place.nextSibling;
			else list.insertBefore(row.box, place);
			put(lane.id, depth + 1);
		}
	};
	put(0, 0);
	for (const row of new Set(rows.values())) if (!used.has(row)) row.remove();
	find("no-streams").hidden = used.size > 0;
	if (still.matches) used.forEach(row => row.draw());
}

class Row {
	lives = new Map(); // the times of its streams, by their ids: begin and end
	marbles = [];
	texts = [];
	counts = []; // of values, by the stream's age: of the last three seconds, and one before

	constructor(stream) {
		this.box = element("details");
		const summary = this.box.appendChild(element("summary"));
		this.who = element("span");
		this.who.className = "who";
		this.who.append(stream.name, element("small", stream.socket ? `socket ${stream.socket}` : ""));
		this.rate = element("span");
		this.rate.className = "rate";
		this.canvas = element("canvas");
		this.canvas.setAttribute("role", "img");
		this.canvas.setAttribute("aria-label", "marbles of the last ten seconds; open for their texts");
		summary.append(this.who, this.rate, this.canvas);
		this.list = this.box.appendChild(element("ol"));
		this.box.ontoggle = () => this.write();
	}

	update(lane, depth) {
		const stream = this.stream = lane.now, waits = stream.waiting >= 1000;
		if (!rows.has(stream.id)) this.counts = [];
		this.box.className = `stream${waits ? " waits" : ""}${stream.end ? " over" : ""}`;
		this.who.style.setProperty("--depth", depth);
		this.counts.push({ age: stream.age, values: stream.values });
		while (this.counts.length > 2 && this.counts[1].age <= stream.age - 3000) this.counts.shift();
		const first = this.counts[0], passed = stream.age - first.age;
		if (stream.end) this.rate.textContent = stream.end === "unsubscribe" ? "left" : stream.end;
		else if (waits) this.rate.textContent = `waits ${time(stream.waiting)}`;
		else this.rate.textContent = passed ? rate(1000 * (stream.values - first.values) / passed) : "";
		this.rate.title = `${stream.values} values in ${time(stream.age)}`;
		for (const [id, life] of this.lives) {
			if (!(life.ended < clock.at - span - 2 * delay) || lane.all.some(s => s.id === id)) continue;
			this.lives.delete(id);
			rows.delete(id);
		}
		let changed = false;
		for (const s of lane.all) {
			rows.set(s.id, this);
			const life = this.lives.get(s.id) ?? { begun: clock.at - s.age, last: 0 };
			this.lives.set(s.id, life);
			for (const m of s.marbles) {
				if (m.number <= life.last) continue;
				life.last = m.number;
				const marble = { ...m, time: Date.parse(m.at) };
				if (m.kind !== "value") life.ended = marble.time;
				this.marbles.push(marble);
				this.texts.push(marble);
				changed = true;
			}
		}
		if (!changed) return;
		this.texts = this.texts.slice(-32);
		this.write();
	}

	// write lists the texts, the latest first, if the row is open.
	write() {
		if (!this.box.open) return;
		this.list.replaceChildren(...this.texts.toReversed().map(m => {
			const line = element("li");
			line.className = m.kind;
			line.append(element("b", new Date(m.at).toISOString().slice(11, 23)), ` ${m.kind === "value" ? "" : m.kind} ${m.text ?? ""}`);
			if (m.skipped) line.append(` (${m.skipped} not shown before it)`);
			return line;
		}));
		if (!this.texts.length) this.list.replaceChildren(element("li", "nothing has come since this page looks"));
	}

	draw() {
		const { canvas } = this, width = canvas.clientWidth, height = canvas.clientHeight;
		if (!width) return;
		const scale = devicePixelRatio;
		if (canvas.width !== Math.round(width * scale)) { canvas.width = width * scale; canvas.height = height * scale; }
		const pen = canvas.getContext("2d"), now = clock.at + performance.now() - clock.seen - delay;
		pen.setTransform(scale, 0, 0, scale, 0, 0);
		pen.clearRect(0, 0, width, height);
		while (this.marbles.length && this.marbles[0].time < now - span - 1000) this.marbles.shift();
		const middle = height / 2 + 3, x = at => (width - 12) * (1 - (now - at) / span);
		pen.lineWidth = 1.5;
		pen.strokeStyle = this.stream.waiting >= 1000 ? colours.warn : colours.edge;
		for (const life of this.lives.values()) {
			const from = Math.max(0, x(life.begun)), to = life.ended ? Math.min(width, x(life.ended)) : width;
			if (to > from) pen.stroke(new Path2D(`M${from} ${middle}H${to}`));
		}
		pen.textAlign = "center";
		let free = -Infinity; // the x from which there is room for a text
		for (const m of this.marbles) {
			const at = x(m.time);
			if (at < -10 || m.time > now) continue;
			pen.fillStyle = pen.strokeStyle = { error: colours.bad, complete: colours.good, unsubscribe: colours.faint }[m.kind] ?? colours.value;
			pen.lineWidth = 2.5;
			pen.beginPath();
			if (m.kind === "value") pen.arc(at, middle, m.skipped ? 6.5 : 5, 0, 7);
			else if (m.kind === "error") pen.stroke(new Path2D(`M${at - 6} ${middle - 6}l12 12m0-12l-12 12`));
			else {
				pen.setLineDash(m.kind === "complete" ? [] : [3, 3]);
				pen.stroke(new Path2D(`M${at} ${middle - 9}v18`));
				pen.setLineDash([]);
			}
			pen.fill();
			const text = m.skipped ? `+${m.skipped}` : m.text;
			if (!text) continue;
			const short = text.length > 14 ? `${text.slice(0, 13)}…` : text, half = pen.measureText(short).width / 2;
			if (at - half < free || at - half < 0) continue;
			pen.fillStyle = colours.faint;
			pen.fillText(short, at, middle - 9);
			free = at + half + 6;
		}
		if (this.stream.waiting >= 1000) {
			pen.fillStyle = colours.warn;
			pen.fillRect(width - 8, middle - 7, 6, 14);
		}
	}

	remove() {
		for (const [id, row] of rows) if (row === this) rows.delete(id);
		this.box.remove();
	}
}

let colours = {};
function paint() {
	const style = getComputedStyle(root);
	for (const name of ["value", "bad", "good", "warn", "edge", "faint"]) colours[name] = style.getPropertyValue(`--${name}`);
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);

function frame() {
	if (!paused && !still.matches) new Set(rows.values()).forEach(row => row.draw());
	requestAnimationFrame(frame);
}

paint();
frame();
ask();
