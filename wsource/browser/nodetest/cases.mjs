// The cases that judge rxsocket.js, in Node.js and in Chromium, against the servers of
// site_test.go.
const { connect, joinRoom, joinState, retryAfter, newID, PublicError, RemoteError, SocketError, Stream } =
  await import(globalThis.document ? "rxsocket" : "../rxsocket.js");

let site; // the argument of run
const cases = {};

// --- means -----------------------------------------------------------------------------

const open = []; // connections to close behind a case
const kept = f => (path, options) => {
  const made = f(site.url + path, { minDelay: 20, maxDelay: 100, ...site.options, ...options });
  open.push(made);
  return made;
};
const events = options => kept(connect)("/events", options);
const room = kept(joinRoom), state = kept(joinState);

const show = value => JSON.stringify(value, (_, v) => v instanceof Map ? [...v] : v);

function equal(got, want, about = "") {
  if (show(got) !== show(want)) throw new Error(`${about} is ${show(got)}, not ${show(want)}`);
}

const within = (promise, what, ms = 5000) => new Promise((resolve, reject) => {
  const timer = setTimeout(() => reject(new Error(`${what} did not happen`)), ms);
  promise.then(resolve, reject).finally(() => clearTimeout(timer));
});

/** until resolves with the first value of a stream that fits. */
const until = (stream, fits = () => true, what = String(fits)) => within(new Promise((resolve, reject) => {
  const subscription = stream.subscribe({
    next(value) {
      if (!fits(value)) return;
      resolve(value);
      queueMicrotask(() => subscription.unsubscribe());
    },
    error: reject,
    complete: () => reject(new Error(`the stream completes before ${what}`)),
  });
}), what);

const is = text => value => show(value) === show(text);
const opened = conn => until(conn.status, s => s.state === "open", "open");
const post = path => fetch(site.url + path, { method: "POST" });

/** failure resolves with the error of a promise. */
const failure = (promise, what = "a failure") => within(promise.then(
  value => { throw new Error(`there is the value ${show(value)} in place of ${what}`); }, error => error,
), what);

/** record keeps the notifications of a stream. */
function record(stream) {
  const log = [];
  log.subscription = stream.subscribe({
    next: value => log.push(value), error: error => log.push(`error ${error.code}`), complete: () => log.push("complete"),
  });
  return log;
}

// --- events ----------------------------------------------------------------------------

cases["events go both ways"] = async () => {
  const conn = events({ source: "alice" });
  const said = until(conn.events("said"));
  const id = conn.emit("say", { text: "grüße", list: [1, null] }); // before there is a connection
  equal((await said).data, { list: [1, null], text: "grüße" }); // as Go sorts the keys
  equal(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id), true, "the id");
  equal(Math.abs((await said).created - Date.now()) < 60_000, true, "created");
  const plain = until(conn.on("said"));
  conn.emitter("say").next(7);
  equal(await plain, 7);
  const unheard = until(conn.unheard);
  conn.emit("say", "nobody listens");
  equal((await unheard).type, "said");
};

cases["ids are in the order of time"] = async () => {
  const first = newID();
  await new Promise(resolve => setTimeout(resolve, 2));
  equal(first < newID(), true);
  equal(Math.abs(parseInt(first.replace("-", "").slice(0, 12), 16) - Date.now()) < 60_000, true, "the time in it");
};

cases["a subscriber that throws stops nothing"] = async () => {
  const conn = events(), seen = [];
  const before = globalThis.reportError;
  globalThis.reportError = error => seen.push(error.message);
  try {
    conn.on("said").subscribe(() => { throw new Error("mine"); });
    const other = until(conn.on("said"), is(2));
    conn.emit("say", 1);
    conn.emit("say", 2);
    await other;
  } finally { globalThis.reportError = before; }
  equal(seen, ["mine", "mine"]);
};

cases["names are checked"] = async () => {
  const conn = events();
  for (const f of [() => conn.emit(""), () => conn.emit("rx.reply"), () => conn.on("x".repeat(257)), () => conn.ask(5)]) {
    equal(await Promise.resolve().then(f).then(() => "accepted", e => e instanceof TypeError), true);
  }
};

// --- questions -------------------------------------------------------------------------

cases["a question may take as long as one likes"] = async () => {
  const conn = events();
  for (const timeout of [0.5 + 1000, 2 ** 32, Infinity]) equal(await conn.ask("add", [1, 2], { timeout }), 3, `with ${timeout} ms`);
};

cases["ask"] = async () => {
  const conn = events();
  equal(await conn.ask("add", [1, 2, 3]), 6);
  equal(await Promise.all([1, 2, 3].map(n => conn.ask("add", [n, n]))), [2, 4, 6]);
  const sold = await failure(conn.ask("fail"));
  equal([sold instanceof RemoteError, sold.code, sold.message], [true, "sold_out", "sold_out: no apples"]);
  equal((await failure(conn.ask("nobody"))).code, "unknown_type");
  equal((await failure(conn.ask("add", "no list"))).code, "bad_data");
  equal((await failure(conn.ask("count", 0))).code, "empty");
  equal(await conn.ask("count", 10), 1); // the first of a stream
};

cases["a question is cancelled at the peer"] = async () => {
  const conn = events();
  const told = record(conn.on("told"));
  const abort = new AbortController(), mine = new Error("not any more");
  const begun = until(conn.on("told"), is("never begins"));
  const asked = failure(conn.ask("never", 0, { signal: abort.signal, timeout: 0 }));
  await begun;
  const cancelled = until(conn.on("told"), is("never was cancelled"));
  abort.abort(mine);
  equal(await asked === mine, true);
  await cancelled;
  equal(told, ["never begins", "never was cancelled"]);
  equal(await failure(conn.ask("add", [1], { signal: abort.signal })) === mine, true, "an aborted signal");
};

cases["a question has its time"] = async () => {
  const conn = events();
  await opened(conn);
  const errors = record(conn.errors);
  equal((await failure(conn.ask("never", 0, { timeout: 50 }))).code, "deadline_exceeded");
  equal(await conn.ask("add", [1]), 1);
  equal(errors, []);
  const away = kept(connect)("/nothing", {}); // never opens
  equal((await failure(away.ask("add", [1], { timeout: 50 }))).code, "deadline_exceeded");
};

cases["a slow loop stops the peer's stream, and nothing else"] = async () => {
  const conn = events();
  const got = [];
  for await (const n of conn.askMany("count", 1000, { window: 8 })) {
    got.push(n);
    if (n !== 20) continue;
    await conn.ask("add", [1]); // all values on their way have come
    await conn.ask("add", [1]);
    const counted = await conn.ask("counted");
    equal(counted > 20 && counted <= 20 + 8 + 1, true, `${counted} values`);
    equal(await conn.ask("counted"), counted);
  }
  equal([got.length, got[999]], [1000, 1000]);
};

cases["leaving a loop ends the peer's stream"] = async () => {
  const conn = events(), errors = record(conn.errors);
  const over = until(conn.on("told"), is("count is over"));
  for await (const n of conn.askMany("count", 1e9)) if (n === 100) break;
  await over;
  equal(await conn.ask("add", [1]), 1);
  equal(errors, []); // values on their way are not errors
};

cases["a stream of answers to a subscriber"] = async () => {
  const conn = events();
  const counts = conn.askMany("count", 200, { window: 3 });
  const all = [];
  await within(new Promise((complete, error) => counts.subscribe({ next: n => all.push(n), complete, error })), "complete");
  equal([all.length, all[199]], [200, 200]);
  const again = record(counts); // cold
  while (again.at(-1) !== "complete") await conn.ask("add", []);
  equal([again.length, again[200]], [201, "complete"]);
  const failed = await failure((async () => { for await (const _ of conn.askMany("fail")) ; })());
  equal(failed.code, "sold_out");
};

cases["the server asks"] = async () => {
  const conn = events();
  let ended;
  const over = new Promise(resolve => { ended = resolve; });
  conn.answer("double", n => 2 * n);
  conn.answer("letters", async function* () {
    try { for (let i = 0; ; i++) yield String.fromCharCode(97 + i % 26); } finally { ended(); }
  });
  conn.answer("nothing", async () => { throw new PublicError("none", "there is nothing"); });
  const told = record(conn.on("told"));
  const last = until(conn.on("told"), is("none: there is nothing"));
  conn.emit("ask me", 3);
  await last;
  equal(told, [6, ["a", "b", "c"], "none: there is nothing"]);
  await within(over, "the end of the generator");
};

cases["questions without an answer, and answers that fail"] = async () => {
  const conn = events();
  const errors = record(conn.errors);
  conn.answer("letters", () => { throw new Error("a secret"); });
  const told = record(conn.on("told"));
  conn.emit("ask me", 3);
  const wanted = ["unknown_type: nobody answers this type", "internal: the answer has failed", "unknown_type: nobody answers this type"];
  while (told.length < 3) await conn.ask("add", []);
  equal(told, wanted);
  equal(errors.length, 1);
};

// --- topics ----------------------------------------------------------------------------

cases["topics, patterns, and retained events"] = async () => {
  const conn = events(), other = events();
  const orders = record(conn.topic("orders.*"));
  await conn.ask("add", []); // it is subscribed
  other.publish("orders.new", "order", { id: 1 });
  while (orders.length < 1) await conn.ask("add", []);
  equal([orders[0].topic, orders[0].type, orders[0].data], ["orders.new", "order", { id: 1 }]);
  const late = await until(other.topic("orders.>"));
  equal(late.data, { id: 1 });
  orders.subscription.unsubscribe();
  equal(await conn.ask("add", [1]), 1);
  const unheard = record(conn.unheard);
  other.publish("orders.new", "order", { id: 2 });
  await other.ask("add", []);
  await conn.ask("add", []);
  equal(unheard, []);
};

cases["a refused topic fails alone"] = async () => {
  const conn = events();
  const refused = await failure(until(conn.topic("secret.plans")));
  equal([refused.code, refused.topic], ["forbidden", "secret.plans"]);
  equal((await failure(until(conn.topic("a..b")))).code, "bad_topic");
  const readable = record(conn.topic("readonly")), errors = record(conn.errors);
  const id = conn.publish("readonly", "order", 1);
  while (errors.length < 1) await conn.ask("add", []);
  equal([errors[0].code, errors[0].corr, readable], ["forbidden", id, []]);
  equal(await conn.ask("add", [1]), 1);
};

// --- the connection --------------------------------------------------------------------

cases["the advice in a close reason"] = async () => {
  const read = ["retry-after=1.5", "a restart; retry-after=2", "retry-after=1e9", "retry-after=", "retry-after=2; no", undefined,
    "retry-after=999999999"].map(retryAfter);
  equal(read, [1500, 2000, 0, 0, 0, 0, 24 * 3600 * 1000]);
};

cases["a restart of the server, with advice"] = async () => {
  const conn = events();
  const states = record(conn.status), orders = record(conn.topic("restart.*"));
  await opened(conn);
  const asked = failure(conn.ask("never", 0, { timeout: 0 }));
  await conn.ask("add", []);
  let left; // when it begins to wait
  const waiting = until(conn.status, s => s.state === "waiting" && (left = Date.now()), "waiting");
  await post("/restart");
  const { advised, delay, code } = await waiting;
  equal([code, advised >= 300 && advised <= 600, delay >= advised && delay <= advised + 100], [1012, true, true], `${advised} ${delay}`);
  equal((await asked).code, "connection_lost");
  const said = until(conn.on("said")), sum = conn.ask("add", [4, 5]), told = record(conn.on("told"));
  const rest = conn.ask("rest", 0, { timeout: 5000 }), abort = new AbortController();
  const unsent = failure(conn.ask("never", 0, { signal: abort.signal, timeout: 0 }));
  conn.emit("say", "meanwhile");
  abort.abort(new Error("not sent"));
  equal((await unsent).message, "not sent");
  globalThis.dispatchEvent?.(new Event("online")); // it hastens no more than the advice allows
  equal(await said, "meanwhile");
  equal(Date.now() - left >= advised - 20, true, "the wait");
  equal(await sum, 9);
  equal(await rest > 1000 && await rest <= 5000 - advised + 20, true, `${await rest} of 5000 ms`);
  equal(told, []); // of the question that was given up
  conn.publish("restart.over", "it", 1); // the topic is subscribed again
  while (orders.length < 1) await conn.ask("add", []);
  equal(states.map(s => s.state), ["connecting", "open", "waiting", "connecting", "open"]);
};

cases["the network is back, or the page is shown"] = async () => {
  if (!globalThis.dispatchEvent || !globalThis.document) return; // not in a browser
  const conn = events({ minDelay: 50, maxDelay: 1e6, reconnect: () => true });
  await conn.ask("add", []); // the server has it among its sockets
  const random = Math.random;
  Math.random = () => 1e5;
  try {
    const waiting = until(conn.status, s => s.state === "waiting", "waiting");
    await post("/close/4000");
    await waiting;
  } finally { Math.random = random; }
  dispatchEvent(new Event("online"));
  await opened(conn);
};

cases["the end of a connection"] = async () => {
  const failing = events(), done = events();
  const said = record(failing.on("said")), topic = record(done.topic("end.*"));
  await Promise.all([opened(failing), opened(done)]);
  done.close();
  equal(topic, ["complete"]);
  equal(await failure(done.ask("add", [])).then(e => e.code), "closed");
  const states = record(failing.status);
  const asked = failure(failing.ask("never", 0));
  await failing.ask("add", []);
  await post("/close/4001");
  const { code, close } = await asked;
  equal([code, close.code, close.reason], ["closed", 4001, "as asked"]);
  equal(said, ["error closed"]);
  equal(states.slice(-2).map(s => s.state ?? s), ["closed", "complete"]);
  equal(record(failing.on("said")), ["error closed"]);
  const orderly = events();
  const values = record(orderly.on("said"));
  await orderly.ask("add", []); // the server has it among its sockets
  await post("/close/1000");
  await until(orderly.status, s => s.state === "closed");
  equal(values, ["complete"]);
};

cases["messages that wait are bounded, and reported when they are not sent"] = async () => {
  const conn = kept(connect)("/nothing", { maxQueued: 2 });
  const errors = record(conn.errors);
  conn.emit("a", 1);
  conn.emit("b", 2);
  let thrown;
  try { conn.emit("c", 3); } catch (error) { thrown = error.code; }
  equal(thrown, "overflow");
  conn.close();
  equal(errors.map(e => [e.code, e.event?.type]), [["undelivered", "a"], ["undelivered", "b"], [undefined, undefined]]);
};

cases["a URL that is made for each attempt"] = async () => {
  const urls = [async () => { throw new Error("no token yet"); }, async () => `${site.url}/events?token=1`];
  const conn = connect(() => urls.shift()(), { minDelay: 20, ...site.options });
  open.push(conn);
  const first = await until(conn.status, s => s.state === "waiting");
  equal(first.error.message, "no token yet");
  await opened(conn);
};

// --- streams ---------------------------------------------------------------------------

cases["RxJS takes a stream"] = async () => {
  const { from, firstValueFrom, take, toArray, map, merge } = site.rxjs;
  const conn = events();
  equal(await firstValueFrom(from(conn.askMany("count", 1e9)).pipe(map(n => n * n), take(4), toArray())), [1, 4, 9, 16]);
  await until(conn.on("told"), is("count is over"));
  const said = firstValueFrom(merge(from(conn.on("said")), from(conn.unheard)).pipe(take(2), toArray()));
  from([1, 2]).subscribe(conn.emitter("say"));
  equal(await said, [1, 2]);
  let now;
  from(conn.status).subscribe(status => { now = status.state; }).unsubscribe();
  equal(now, "open", "the status at once");
  const broken = await failure(firstValueFrom(from(conn.askMany("fail"))));
  equal(broken.code, "sold_out");
};

cases["a loop that is too far behind fails"] = async () => {
  const numbers = new Stream(sink => { for (let i = 0; i < 2000; i++) sink.next(i); sink.complete(); });
  const got = [];
  const failed = await failure((async () => { for await (const n of numbers) got.push(n); })());
  equal([failed.code, got.length], ["overflow", 1024]);
  const few = new Stream(sink => { sink.next(1); sink.next(2); sink.complete(); sink.next(3); });
  const all = [];
  for await (const n of few) all.push(n);
  equal(all, [1, 2]);
};

cases["a stream stops its source once"] = async () => {
  let stopped = 0;
  const stream = new Stream(sink => {
    sink.next(1);
    return () => { stopped++; };
  });
  const subscription = stream.subscribe();
  subscription.unsubscribe();
  subscription.unsubscribe();
  equal([stopped, subscription.closed], [1, true]);
  for await (const _ of stream) break;
  equal(stopped, 2);
};

// --- rooms -----------------------------------------------------------------------------

cases["presence"] = async () => {
  const ann = room("/rooms/presence?user=ann&mood=glad");
  const there = record(ann.members);
  await until(ann.members, m => m.size === 1);
  const bob = room("/rooms/presence?user=bob&mood=calm");
  await until(bob.members, is([["ann", "glad"], ["bob", "calm"]]));
  await until(ann.members, m => m.size === 2);
  bob.send("/mood busy");
  await until(ann.members, m => m.get("bob") === "busy");
  const said = until(ann.said);
  bob.send("hello");
  equal([(await said).member, (await said).value], ["bob", "hello"]);
  bob.close();
  await until(ann.members, m => m.size === 1);
  equal(there.map(m => [...m.keys()].join()), ["ann", "ann,bob", "ann,bob", "ann"]);
};

cases["a room goes on where it was"] = async () => {
  const ann = room("/rooms/past?user=ann");
  const said = record(ann.said), welcomes = [];
  ann.events.subscribe(e => { if (e.kind === "welcome") welcomes.push(e.recovery); });
  await until(ann.events, e => e.kind === "welcome");
  ann.send("one");
  await until(ann.said, e => e.value === "one");
  equal(ann.position.offset, 1);
  const again = until(ann.events, e => e.kind === "welcome");
  await post("/restart");
  const bob = room("/rooms/past?user=bob");
  await opened(bob);
  const two = until(ann.said, e => e.value === "two");
  bob.send("two"); // maybe before ann is back
  await again;
  await two;
  equal(said.map(e => e.value), ["one", "two"]);
  equal(welcomes, ["fresh", "recovered"]);
};

cases["a shared state"] = async () => {
  const one = state("/state"), maps = record(one.maps);
  await until(one.maps, m => m.size === 0);
  one.send({ key: "ann", value: 1 });
  one.send({ key: "bob", value: 2 });
  await until(one.maps, m => m.size === 2);
  const two = state("/state");
  equal(await until(two.maps), [["ann", 1], ["bob", 2]].reduce((m, [k, v]) => m.set(k, v), new Map()));
  equal(two.get("bob"), 2);
  await post("/restart");
  await until(one.status, s => s.state === "waiting");
  await opened(one);
  two.send({ key: "ann", deleted: true });
  await until(one.maps, m => m.size === 1);
  equal(maps, [new Map(), new Map([["ann", 1]]), new Map([["ann", 1], ["bob", 2]]), new Map([["bob", 2]])]);
  let gate = Promise.resolve(), open_;
  const forgetful = joinState(async () => { // comes back without a position, when it may
    await gate;
    return `${site.url}/state`;
  }, { minDelay: 20, ...site.options });
  open.push(forgetful);
  const anew = record(forgetful.maps);
  await until(forgetful.maps);
  gate = new Promise(resolve => { open_ = resolve; });
  await post("/restart");
  one.send({ key: "bob", deleted: true });
  await until(one.maps, m => m.size === 0);
  one.send({ key: "carl", value: 3 });
  await until(one.maps, m => m.has("carl"));
  await new Promise(resolve => setTimeout(resolve, 150)); // that bob was deleted is not kept for longer
  open_();
  await until(forgetful.maps, m => m.has("carl"));
  equal(anew, [new Map([["bob", 2]]), new Map([["carl", 3]])]);
  await until(two.maps, m => m.has("carl") && m.size === 1);
};

// --- against a socket that is none -----------------------------------------------------

/** fake returns a class of sockets, whose last one is driven by the case. */
function fake() {
  return class Fake {
    static all = [];
    bufferedAmount = 0;
    readyState = 1;
    sent = [];
    constructor(url) {
      this.url = url;
      Fake.all.push(this);
      Fake.last = this;
    }
    protocol = "rxsocket.session.v1";
    send(text) { this.sent.push(text[0] === "\0" ? text : JSON.parse(text)); }
    close(code) { this.code = code; }
    receive(e) { this.onmessage({ data: typeof e === "string" ? e : JSON.stringify(e) }); }
  };
}

const turn = () => new Promise(resolve => setTimeout(resolve, 5));

async function faked(options, f = connect) {
  const WebSocket = fake();
  const conn = f("https://site.test/events", { minDelay: 1, maxDelay: 1, ...options, WebSocket });
  open.push(conn);
  await turn();
  WebSocket.last.onopen();
  return { conn, WebSocket, socket: WebSocket.last };
}

cases["a message that cannot be used is reported, and stops nothing"] = async () => {
  const { conn, socket } = await faked();
  const errors = record(conn.errors), data = record(conn.on("a"));
  for (const e of ["{", "[]", "null", { type: "a", id: "1", v: 2 }, { id: "1" }, { type: "a" }, { type: "rx.other" },
    { type: "a", id: "1", data_base64: "*" }, { type: "rx.next", corr: "?" }, { type: "rx.error", corr: "1" }]) socket.receive(e);
  equal(errors.map(e => e.code), ["malformed", "malformed", "malformed", "unknown_version", "missing_type", "missing_id", "reserved_type",
    "bad_data", "no_such_question", "unknown"]);
  socket.receive({ type: "a", id: "2", v: 1, data: 1 });
  socket.receive({ type: "a", id: "3" });
  equal(data, [1, null]);
  equal(socket.url, "wss://site.test/events");
};

const ignore = () => {};

// The values that a hostile peer puts in the place of a field.
const monster = { toString: 1, valueOf: 1 };
const hostile = [undefined, null, 0, -1, 0.5, 1e300, "", "x", "1e9", "\0", true, [], [null], [[]], {}, monster, { code: monster, message: monster },
  { epoch: monster, offset: 1 }, { epoch: "x", offset: monster }, [{ key: monster, meta: monster }], { key: monster, value: monster }];

/**
 * spoiled returns a message with each of its fields in turn, and one that is new, as a
 * hostile peer has it.
 */
const spoiled = message => [...Object.keys(message), "__proto__", "toString"].flatMap(name => hostile.map(value => {
  const fields = Object.entries(message).filter(([key]) => key !== name);
  return `{${[...fields, [name, value]].filter(([, v]) => v !== undefined)
    .map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join()}}`;
}));

const past = { kind: "said", room: "r", position: { epoch: "e", offset: 1 }, at: "", member: "ann", value: { key: "k", value: 1 } };
const ofRooms = [past, { ...past, kind: "entered", meta: 1 }, { ...past, kind: "left" }, { ...past, kind: "changed" }, { ...past, kind: "other" },
  { ...past, kind: "welcome", recovery: "gap", missed: 1, replayed: 1, members: [{ key: "ann", meta: 1 }] }];
const ofEvents = id => [{ type: "a", id: "1", created: 1, source: "s", topic: "t", pattern: "t.*", data: 1, v: 1 }, { type: "b", id: "1", data_base64: "AP8=" },
  { type: "q", id: "1", credit: 2, timeout: 5, data: 1 }, { type: "many", id: "2", credit: 1 }, { type: "rx.credit", corr: "2", credit: 1 },
  ...["next", "reply", "error", "complete"].map(name => ({ type: `rx.${name}`, corr: id, topic: "t", data: { code: "c", message: "m" } })),
  { type: "rx.subscribed", corr: id, topic: "t" }, { type: "rx.cancel", corr: "2" }];
const bare = [...hostile.map(value => JSON.stringify(value) ?? "undefined"), "{", "[".repeat(100_000), "{\"a\":".repeat(100_000)];

/** endures gives the messages to a connection of f, and allows reported errors only. */
async function endures(f, messages, options, first) {
  const { conn, socket } = await faked(options, f), told = [];
  conn.errors.subscribe(error => told.push(error));
  if (conn.answer) {
    conn.answer("q", n => n);
    conn.answer("many", async function* () { yield 1; yield 2; });
    conn.topic("t").subscribe({ error: ignore });
    conn.on("a").subscribe({ error: ignore });
    conn.askMany("long").subscribe({ error: ignore });
  }
  if (first) socket.receive(first);
  const id = socket.sent.find(e => e.type === "long")?.id;
  for (const text of typeof messages === "function" ? messages(id) : messages) {
    try { socket.onmessage({ data: text }); } catch (error) { throw new Error(`${text.slice(0, 200)} is thrown out of onmessage: ${error.stack}`); }
  }
  await turn();
  for (const error of told) equal(error instanceof SocketError, true, `the error ${error}`);
  conn.close();
  return told;
}

cases["a hostile peer ends nothing"] = async () => {
  const rejected = [], listen = error => { rejected.push(error.reason ?? error); error.preventDefault?.(); };
  globalThis.process?.on("unhandledRejection", listen);
  globalThis.addEventListener?.("unhandledrejection", listen);
  try {
    for (const options of [{}, { session: true }]) {
      const first = options.session && "\0fresh one 60000";
      const told = await endures(connect, id => [...ofEvents(id).flatMap(spoiled), ...bare], options, first);
      equal(told.length > 100, true, `${told.length} errors`);
      for (const f of [joinRoom, joinState]) {
        const told = await endures(f, [...ofRooms.flatMap(spoiled), ...bare], options, first);
        equal(told.length > 100, true, `${told.length} errors`);
      }
    }
    const numbers = ["", " ", " x", " 1", " 1.5", " -1", " 1e400", " 9".repeat(5), ` ${"9".repeat(16)}`, " t 1 0 1", " t 1 0 1e400", " t 1 0.5 2", " 5000 x"];
    const words = ["fresh", "resumed", "expired", "ack", "ask", "end", "go", "hello", "other", ""];
    await Promise.all(words.flatMap(word => numbers.map(fields => `\0${word}${fields}`)).flatMap(text => [
      endures(connect, [text], { session: true }), endures(connect, [text, text], { session: true }, "\0fresh one 60000"),
    ]));
    await turn();
    equal(rejected.map(String), []);
  } finally {
    globalThis.process?.off("unhandledRejection", listen);
    globalThis.removeEventListener?.("unhandledrejection", listen);
  }
};

cases["a malformed event of a room changes nothing"] = async () => {
  const { conn, socket, WebSocket } = await faked({}, joinState);
  const errors = record(conn.errors), heard = record(conn.events), maps = record(conn.maps);
  const wrong = [{ kind: "welcome", members: 5 }, { kind: "welcome", members: [null] }, { kind: "said" }, { ...past, value: null },
    { ...past, position: 5 }, { ...past, position: { epoch: monster, offset: 9 } }, { ...past, position: { epoch: "e", offset: "9" } }];
  for (const e of wrong) socket.receive(e);
  equal(errors.map(e => e.code), wrong.map(() => "malformed"));
  equal([heard, maps, conn.position], [[], [], undefined]);
  socket.receive(past);
  equal([heard.length, maps, conn.get("k")], [1, [new Map([["k", 1]])], 1]);
  await again(WebSocket);
  equal(WebSocket.last.url, "wss://site.test/events?epoch=e&offset=1");
};

cases["an error of the peer that has no code"] = async () => {
  const { conn, socket } = await faked();
  const errors = record(conn.errors), asked = failure(conn.ask("q"));
  for (const corr of [socket.sent[0].id, "other"]) socket.receive({ type: "rx.error", corr, data: { code: monster, message: {} } });
  const error = await asked;
  equal([error instanceof RemoteError, error.code, error.message], [true, "unknown", "unknown: "]);
  equal(errors.map(e => [e.code, e.corr]), [["unknown", "other"]]);
};

cases["bytes"] = async () => {
  const { conn, socket } = await faked();
  const data = record(conn.on("a"));
  socket.receive({ type: "a", id: "1", data_base64: "AP8=" });
  equal([data[0] instanceof Uint8Array, ...data[0]], [true, 0, 255]);
  conn.emit("b", new Uint8Array([0, 255]));
  equal([socket.sent[0].data_base64, socket.sent[0].data], ["AP8=", undefined]);
};

cases["a peer that sends more than it was asked for"] = async () => {
  const { conn, socket } = await faked();
  const all = [], errors = record(conn.errors);
  const slow = (async () => { for await (const n of conn.askMany("n", 0, { window: 2 })) all.push(n); })();
  const { id } = socket.sent[0];
  for (let n = 0; n < 4; n++) socket.receive({ type: "rx.next", corr: id, data: n });
  equal((await failure(slow)).code, "credit_exceeded");
  equal(socket.sent.slice(-1)[0], { type: "rx.cancel", corr: id });
  socket.receive({ type: "rx.next", corr: id }); // was on its way
  socket.receive({ type: "rx.complete", corr: id });
  equal(errors, []);
};

cases["questions of the peer are bounded"] = async () => {
  const { conn, socket } = await faked();
  const signals = [];
  conn.answer("q", (_, { signal }) => new Promise(() => { signals.push(signal); }));
  for (let i = 0; i < 257; i++) socket.receive({ type: "q", id: `${i}`, credit: 1 });
  socket.receive({ type: "q", id: "0", credit: 1 });
  equal(socket.sent.map(e => [e.corr, e.data.code]), [["256", "busy"], ["0", "duplicate_id"]]);
  equal(signals.length, 256);
  socket.receive({ type: "rx.cancel", corr: "7" });
  equal(signals.map(s => s.aborted).indexOf(true), 7);
  socket.onclose({ code: 1006, reason: "" });
  equal(signals.every(s => s.aborted), true, "the end of the connection");
};

cases["the time that the peer gives an answer"] = async () => {
  const { conn, socket } = await faked();
  conn.answer("q", (_, { signal }) => new Promise((_, reject) => { signal.onabort = () => reject(signal.reason); }));
  socket.receive({ type: "q", id: "1", credit: 1, timeout: 20 });
  await new Promise(resolve => setTimeout(resolve, 60));
  equal(socket.sent.map(e => e.data.code), ["deadline_exceeded"]);
};

cases["an answer that is no JSON"] = async () => {
  const { conn, socket } = await faked();
  const errors = record(conn.errors), cycle = {};
  let stopped = 0;
  cycle.cycle = cycle;
  conn.answer("big", () => 1n);
  conn.answer("cycle", () => cycle);
  conn.answer("bare", () => { throw Object.create(null); });
  conn.answer("public", () => { throw new PublicError(1n, 2n); });
  conn.answer("many", () => ({
    next: async () => ({ value: 1n, done: false }), return() { stopped++; throw new Error("mine"); }, [Symbol.asyncIterator]() { return this; },
  }));
  for (const type of ["big", "cycle", "bare", "public", "many"]) socket.receive({ type, id: type, credit: 1 });
  await turn();
  const failed = { code: "internal", message: "the answer has failed" };
  const sent = Object.fromEntries(socket.sent.map(e => [e.corr, e.type === "rx.error" && e.data]));
  equal(["big", "cycle", "bare", "public", "many"].map(corr => sent[corr]), [failed, failed, failed, { code: "1", message: "2" }, failed]);
  equal([errors.length, stopped], [4, 1]);
};

cases["a type is answered by one"] = async () => {
  const { conn, socket } = await faked();
  const first = conn.answer("q", () => 1);
  let thrown;
  try { conn.answer("q", () => 2); } catch (error) { thrown = error; }
  equal(thrown instanceof TypeError, true);
  first.unsubscribe();
  conn.answer("q", () => 3);
  first.unsubscribe();
  socket.receive({ type: "q", id: "1", credit: 1 });
  await turn();
  equal(socket.sent, [{ type: "rx.reply", data: 3, corr: "1" }]);
};

cases["a socket that takes no more"] = async () => {
  const { conn, socket } = await faked({ maxQueuedBytes: 1000 });
  conn.emit("a", "x".repeat(2000)); // one alone
  socket.bufferedAmount = 900;
  let thrown;
  try { conn.emit("a", "x".repeat(200)); } catch (error) { thrown = error.code; }
  equal([thrown, socket.sent.length], ["overflow", 1]);
};

cases["a socket that is closing takes nothing"] = async () => {
  const { conn, socket, WebSocket } = await faked();
  socket.readyState = 2;
  conn.emit("a", 1);
  const asked = conn.ask("q", 2);
  equal(socket.sent, []);
  socket.onclose({ code: 1006, reason: "" });
  await turn();
  WebSocket.last.onopen();
  equal(WebSocket.last.sent.map(e => e.data), [1, 2]);
  WebSocket.last.receive({ type: "rx.reply", corr: WebSocket.last.sent[1].id, data: 3 });
  equal(await asked, 3);
};

cases["a signal is let go"] = async () => {
  const { conn, socket } = await faked();
  const { signal } = new AbortController();
  let listeners = 0;
  for (const [name, change] of [["addEventListener", 1], ["removeEventListener", -1]]) {
    const original = signal[name].bind(signal);
    signal[name] = (...given) => { listeners += change; original(...given); };
  }
  const asked = conn.ask("q", 0, { signal });
  equal(listeners, 1);
  socket.receive({ type: "rx.reply", corr: socket.sent[0].id, data: 5 });
  equal([await asked, listeners], [5, 0]);
};

cases["sockets of before are not heard"] = async () => {
  const { conn, socket, WebSocket } = await faked();
  const data = record(conn.on("a")), { onmessage, onclose } = socket;
  onclose({ code: 1006, reason: "" });
  onmessage({ data: JSON.stringify({ type: "a", id: "1", data: 1 }) });
  await turn();
  WebSocket.last.onopen();
  onclose({ code: 1006, reason: "" });
  equal([data, (await until(conn.status)).state, WebSocket.all.length], [[], "open", 2]);
};

cases["a handshake that does not end"] = async () => {
  const WebSocket = fake(), later = globalThis.setTimeout;
  globalThis.setTimeout = (f, ms, ...rest) => later(f, ms === 20_000 ? 10 : ms, ...rest);
  try {
    for (const url of ["https://site.test/events", () => new Promise(() => {})]) { // or the URL, as with a ticket, never comes
      const conn = connect(url, { WebSocket });
      open.push(conn);
      const { code, reason } = await until(conn.status, s => s.state === "waiting", "waiting");
      equal([code, reason], [1006, "the handshake took too long"]);
    }
  } finally { globalThis.setTimeout = later; }
};

cases["failures add up until a connection lasts"] = async () => {
  const { conn, WebSocket } = await faked();
  const attempts = record(conn.status), { now } = Date;
  const round = async lived => {
    Date.now = () => now() + lived;
    WebSocket.last.onclose({ code: 1006, reason: "" });
    Date.now = now;
    await turn();
    WebSocket.last.onopen();
  };
  for (const lived of [0, 4000, 6000, 0]) await round(lived);
  equal(attempts.filter(s => s.attempt).map(s => s.attempt), [2, 3, 2, 3]);
};

// --- sessions --------------------------------------------------------------------------

const lasting = options => kept(connect)("/session", { session: true, ...options });
const isOpen = s => s.state === "open";

cases["a session goes on over connections that are cut"] = async () => {
  const conn = lasting();
  const states = record(conn.status), said = record(conn.on("said"));
  await opened(conn);
  const later = conn.ask("later", 700);
  const counts = (async () => {
    const all = [];
    for await (const n of conn.askMany("count", 3000, { window: 16 })) all.push(n);
    return all;
  })();
  for (let n = 0; n < 600; n++) {
    conn.emit("say", n);
    if (n % 100 === 50) {
      await opened(conn);
      const cut = until(conn.status, s => s.state === "waiting", "waiting");
      await post("/cut");
      conn.emit("say", ++n); // on its way, or kept
      await cut;
    }
    if (n % 10 === 0) await new Promise(resolve => setTimeout(resolve));
  }
  equal(await within(later, "the answer"), 700);
  const all = await within(counts, "the stream");
  equal([all.length, all.every((n, i) => n === i + 1)], [3000, true]);
  while (said.length < 600) await conn.ask("add", []);
  equal(said.every((n, i) => n === i), true, "the order");
  equal(said.length, 600);
  const kinds = states.filter(isOpen).map(s => s.session);
  equal([kinds[0], kinds.length >= 3, kinds.slice(1).every(k => k === "recovered")], ["fresh", true, true], show(kinds));
};

cases["a session acknowledges, and is acknowledged"] = async () => {
  const conn = lasting();
  const said = record(conn.on("said"));
  const value = "x".repeat(3000); // more than a window of 1 MiB together
  for (let n = 0; n < 1000; n++) {
    conn.emit("say", value);
    if (n % 100 === 0) await conn.ask("add", []);
  }
  while (said.length < 1000) await conn.ask("add", []);
  equal(said.length, 1000);
};

cases["a session that has expired"] = async () => {
  const conn = lasting();
  const orders = record(conn.topic("session.*")), errors = record(conn.errors);
  await opened(conn);
  await conn.ask("add", []);
  const asked = failure(conn.ask("never", 0, { timeout: 0 }));
  await conn.ask("add", []);
  const waiting = until(conn.status, s => s.state === "waiting", "waiting");
  await post("/forget");
  await waiting;
  const sum = conn.ask("add", [1, 2]); // waits for the next session
  equal((await asked).code, "connection_lost");
  equal(await sum, 3);
  conn.publish("session.over", "it", 1); // the topic is subscribed again
  while (orders.length < 1) await conn.ask("add", []);
  equal(errors.every(e => e.unsure), true);
};

cases["the server ends a session"] = async () => {
  const conn = lasting();
  const said = record(conn.on("said"));
  await opened(conn);
  for (let n = 0; n < 50; n++) conn.emit("say", n);
  conn.emit("end");
  const closed = await until(conn.status, s => s.state === "closed", "closed");
  equal(closed.error, undefined);
  equal([said.length, said.at(-1)], [51, "complete"]);
};

cases["this side ends a session"] = async () => {
  const conn = lasting();
  await opened(conn);
  const other = lasting();
  const heard = until(other.topic("bye"), e => e.data === 1, "the goodbye");
  await other.ask("add", []);
  conn.publish("bye", "bye", 1);
  conn.close(4000, "enough");
  await heard;
};

const event = n => ({ type: "a", id: `${n}`, data: n });

/** again breaks a socket, and returns the next one. */
async function again(WebSocket) {
  WebSocket.last.onclose({ code: 1006, reason: "" });
  await turn();
  WebSocket.last.onopen();
  return WebSocket.last;
}

cases["the positions of a session"] = async () => {
  const { conn, socket, WebSocket } = await faked({ session: true });
  const data = record(conn.on("a")), states = record(conn.status), errors = record(conn.errors);
  conn.emit("b", 1);
  equal(socket.sent, ["\0hello"]);
  socket.receive("\0fresh one 60000");
  conn.emit("b", 2);
  equal(socket.sent.map(e => e.data ?? e), ["\0hello", "\0go 1", 1, 2]);
  for (let n = 1; n <= 3; n++) socket.receive(event(n));
  const second = await again(WebSocket);
  equal(second.sent, ["\0resume one 3"]);
  conn.emit("b", 3);
  const orders = conn.topic("orders").subscribe(); // between two connections
  second.receive("\0resumed two 60000 1 2"); // it has one of ours, and sends from its second on
  equal(second.sent.map(e => e.data ?? e.type ?? e).slice(1), ["\0go 2", 2, 3, "rx.subscribe"]);
  for (let n = 2; n <= 4; n++) second.receive(event(n));
  second.receive("\0ask");
  equal(second.sent.at(-1), "\0ack 4");
  second.receive("\0ack 4");
  const third = await again(WebSocket);
  equal(third.sent, ["\0resume two 4"]);
  third.receive("\0resumed three 60000 4 7"); // two are missing
  equal(third.sent.slice(1), ["\0go 5"]);
  for (let n = 7; n < 7 + 250; n++) third.receive(event(n));
  equal(third.sent.length, 2); // it is too early to acknowledge
  for (let n = 0; n < 6; n++) third.receive(event(257 + n));
  equal(third.sent.slice(2), ["\0ack 260"]);
  equal(data.slice(0, 6), [1, 2, 3, 4, 7, 8]);
  equal(states.filter(isOpen).map(s => [s.session, s.missed]), [["fresh", 0], ["recovered", 0], ["gap", 2]]);
  equal(errors, []);
  orders.unsubscribe();
  const fourth = await again(WebSocket);
  fourth.receive("\0resumed four 60000 9 1"); // this side has never sent such a number
  equal([(await until(conn.status)).error.code, fourth.code], ["protocol", 4400]);
};

cases["the window of a session"] = async () => {
  const { conn, socket } = await faked({ session: true });
  socket.receive("\0fresh one 60000");
  for (let n = 0; n < 4100; n++) conn.emit("b", n);
  equal(socket.sent.length, 2 + 4096);
  socket.receive("\0ack 2");
  equal(socket.sent.slice(-2).map(e => e.data), [4096, 4097]);
  socket.receive("\0ack 4098");
  equal(socket.sent.at(-1).data, 4099);
  conn.emit("b", "é".repeat(600_000)); // 1.2 MB
  equal(socket.sent.at(-1).data, 4099, "one that is too large beside others");
  conn.emit("b", "behind it");
  socket.receive("\0ack 4100");
  equal(socket.sent.length, 2 + 4100 + 1);
  socket.receive("\0ack 4101");
  equal(socket.sent.at(-1).data, "behind it");
};

cases["the messages that an expired session leaves"] = async () => {
  const { conn, socket, WebSocket } = await faked({ session: true });
  const errors = record(conn.errors);
  socket.receive("\0fresh one 60000");
  conn.emit("b", "on its way");
  const asked = failure(conn.ask("q", 1));
  const second = await again(WebSocket);
  conn.emit("b", "not sent");
  const orders = conn.topic("orders").subscribe();
  second.receive("\0expired");
  equal((await asked).code, "connection_lost");
  equal(errors.map(e => [e.code, e.unsure, e.event.data]), [["undelivered", true, "on its way"]]);
  second.onclose({ code: 4410, reason: "" });
  await turn();
  const third = WebSocket.last;
  third.onopen();
  equal(third.sent, ["\0hello"]);
  third.receive("\0fresh two 60000");
  equal(third.sent.slice(2).map(e => e.data ?? e.type), ["not sent", "rx.subscribe"]);
  orders.unsubscribe();
  equal(third.sent.at(-1).type, "rx.unsubscribe");
  third.receive("\0end 1000 done"); // with three on their way
  equal(third.sent.slice(-1), ["\0ask"]);
  equal(third.code, undefined);
  third.receive("\0ack 3");
  equal([third.code, (await until(conn.status)).state], [1000, "closed"]);
};

cases["the messages on their way when a session is over for good"] = async () => {
  const broken = { code: 1006, reason: "" };
  const ways = {
    "close of a broken socket": ({ conn, socket }) => { socket.onclose(broken); conn.emit("b", "waits"); conn.close(); },
    "4409 after a break": async ({ socket, WebSocket }) => { socket.onclose(broken); await turn(); WebSocket.last.onclose({ code: 4409, reason: "" }); },
    "4409 of an open socket": ({ socket }) => socket.onclose({ code: 4409, reason: "" }),
    "against the protocol": ({ socket }) => socket.receive("\0ack 9"),
    "a close of an open socket": ({ conn }) => conn.close(),
  };
  const told = {};
  for (const [name, way] of Object.entries(ways)) {
    const session = await faked({ session: true }), errors = [];
    session.conn.errors.subscribe(error => errors.push([error.code, error.unsure, error.event.data]));
    session.socket.receive("\0fresh one 60000");
    session.conn.emit("b", "has come");
    session.socket.receive("\0ack 1");
    session.conn.emit("b", "sent");
    session.conn.ask("q").catch(ignore); // its asker gets the error
    session.conn.topic("t").subscribe({ error: ignore });
    await way(session);
    told[name] = errors;
  }
  const sent = ["undelivered", true, "sent"];
  equal(told, {
    "close of a broken socket": [sent, ["undelivered", undefined, "waits"]], "4409 after a break": [sent],
    "4409 of an open socket": [sent], "against the protocol": [sent], "a close of an open socket": [],
  });
};

cases["a page that closes while a session ends gets no other socket"] = async () => {
  const { conn, WebSocket, socket } = await faked({ session: true });
  const states = record(conn.status);
  socket.receive("\0fresh one 60000");
  conn.askMany("prices").subscribe({ error: () => conn.close() });
  socket.receive("\0ack 1");
  socket.receive("\0end 1001 bye");
  await turn();
  equal([WebSocket.all.length, socket.code, states.slice(-2).map(s => s.state ?? s)], [1, 1000, ["closed", "complete"]]);
  const other = await faked({ reconnect: () => { other.conn.close(); return true; } });
  other.socket.onclose({ code: 1006, reason: "" });
  await turn();
  equal(other.WebSocket.all.length, 1);
};

cases["a server without sessions"] = async () => {
  const conn = kept(connect)("/events", { session: true, protocols: "plain" });
  const closed = await until(conn.status, s => s.state === "closed", "closed");
  equal(closed.error.code, "protocol");
};

// --- running ---------------------------------------------------------------------------

/** run runs all cases, and prints a verdict on each and the totals. */
export async function run(given) {
  site = { options: {}, ...given };
  let passed = 0, failed = 0;
  for (const [name, test] of Object.entries(cases)) {
    if (site.only && !name.includes(site.only)) continue;
    try {
      await within(test(), "the end of the case", 15_000);
      passed++;
      site.print(`ok - ${name}`);
    } catch (error) {
      failed++;
      site.print(`not ok - ${name}: ${String(error?.stack ?? error).replaceAll("\n", "\\n")}`);
    }
    for (const conn of open.splice(0)) conn.close();
  }
  site.print(`scripts: ${passed} passed, ${failed} failed`);
}
