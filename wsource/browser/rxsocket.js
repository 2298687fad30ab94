// rxsocket.js is the browser's side of rxsocket: named events, questions, topics and
// rooms over a WebSocket that reconnects by itself, as small streams. It needs no build
// step and nothing else.
//
//   import { connect } from "/rxsocket.js"
//   const shop = connect("/events")
//   shop.on("order_confirmed").subscribe(order => console.log("confirmed", order))
//   shop.emit("order_placed", { id: 5 })
//   console.log(await shop.ask("stock", "apples"))
//   for await (const price of shop.askMany("prices", "apples")) console.log(price)
//
// The protocol is in the documentation of the Go packages wsource/event and wsource/hub.
// The types are in rxsocket.d.ts.

const SECOND = 1000;
const HANDSHAKE = 20 * SECOND; // the time in which a connection has to open
const STABLE = 5 * SECOND; // a connection that lived so long was no failed attempt
const MAX_ADVICE = 24 * 3600 * SECOND; // the longest wait that a server may ask for
const MAX_QUEUE = 1024; // values that wait for a slow loop
const MAX_ANSWERS = 256; // questions of the peer under way
const MAX_LATE = 4096; // given-up questions that are remembered
const MAX_NAME = 256; // bytes of an id, a type, a source, a topic
const MAX_TIMER = 2 ** 31 - 1; // the longest timer, in milliseconds: a longer one ends at once

// The close codes that are worth another attempt: the same as those of
// wsource.CloseAction.
const PASSING = new Set([1001, 1006, 1011, 1012, 1013, 1014]);

// --- errors ----------------------------------------------------------------------------

/** SocketError is the error of this module. Its code names the cause. */
export class SocketError extends Error {
  constructor(code, message, details) {
    super(`${code}: ${message}`);
    this.name = new.target.name;
    this.code = code;
    Object.assign(this, details);
  }
}

/**
 * RemoteError is a failure that the peer reports: of a question, a subscription, an
 * event.
 */
export class RemoteError extends SocketError {}

/** PublicError is the error of an answer that the peer gets as it is. */
export class PublicError extends SocketError {
  constructor(code, message) {
    super(code, message);
    this.text = message;
  }
}

/** unhandled reports an error that nobody handles, without ending the work in progress. */
function unhandled(error) {
  if (typeof reportError === "function") reportError(error);
  else setTimeout(() => { throw error; });
}

/** ignore is for calls whose failure does not matter. */
const ignore = () => {};

// --- messages of a peer ----------------------------------------------------------------

// A peer may send anything. The checks here come before any use of a message's fields.

const isText = value => typeof value === "string";
const isWhole = value => Number.isSafeInteger(value) && value >= 0;
const isObject = value => typeof value === "object" && value !== null && !Array.isArray(value);
const isTime = value => typeof value === "number" || isText(value);

/** optional also takes a missing value. */
const optional = is => value => value === undefined || value === null || is(value);

const ENVELOPE = {
  id: isText, type: isText, source: isText, corr: isText, topic: isText, pattern: isText, data_base64: isText,
  created: isTime, credit: isWhole, timeout: isWhole,
};
const ROOM_EVENT = {
  position: value => isObject(value) && isText(value.epoch) && isWhole(value.offset),
  members: value => Array.isArray(value) && value.every(isObject),
  recovery: isText, missed: isWhole, replayed: isWhole,
};

/** unfit returns the name of a field with the wrong form, or undefined. */
const unfit = (e, form) => Object.keys(form).find(name => !optional(form[name])(e[name]));

/** whole reads a number of a control message. A text that is no number is NaN. */
const whole = text => /^\d{1,16}$/.test(text) && isWhole(Number(text)) ? Number(text) : NaN;

// --- streams ---------------------------------------------------------------------------

/**
 * Stream is an observable: subscribe to it, loop over it with `for await`, or give it to `from` of
 * RxJS. Notifications are serial, and nothing follows error or complete.
 */
export class Stream {
  #start;

  /**
   * start(sink) begins to give values to the sink, and returns a function that stops it.
   */
  constructor(start) {
    this.#start = start;
    // Symbol.observable may come after this module.
    if (Symbol.observable && !(Symbol.observable in Stream.prototype)) {
      Stream.prototype[Symbol.observable] = Stream.prototype["@@observable"];
    }
  }

  /**
   * subscribe calls observer.next with each value, then error or complete once. A function is an
   * observer with next only. An exception of an observer is reported, and stops nothing.
   */
  subscribe(observer = {}) {
    return this.#run(typeof observer === "function" ? { next: observer } : observer);
  }

  /**
   * pace comes from a consumer that takes values later; the source sets its function that
   * counts a taken value.
   */
  #run(observer, pace) {
    let open = true, stop;
    const call = (name, value) => {
      try { observer[name]?.(value); } catch (error) { unhandled(error); }
    };
    const end = () => {
      open = false;
      const f = stop;
      stop = undefined;
      f?.();
    };
    const sink = {
      get closed() { return !open; },
      next(value) { if (open) call("next", value); },
      error(error) {
        if (!open) return;
        open = false;
        if (observer.error) call("error", error);
        else unhandled(error);
        end();
      },
      complete() {
        if (!open) return;
        open = false;
        call("complete");
        end();
      },
    };
    const f = this.#start(sink, pace);
    if (open) stop = f;
    else f?.();
    return { unsubscribe: end, get closed() { return !open; } };
  }

  /** RxJS and others ask for this. */
  "@@observable"() { return this; }

  /**
   * A loop gets every value from its beginning on. Up to 1,024 wait for it; then it fails with the
   * code overflow. A stream of askMany makes its peer wait instead. Leaving the loop unsubscribes.
   */
  [Symbol.asyncIterator]() {
    const queue = [], takers = [], pace = {};
    let end, subscription;
    const finish = error => {
      if (end) return;
      end = { error };
      for (const taker of takers.splice(0)) settle(taker);
      subscription?.unsubscribe();
    };
    const settle = ({ resolve, reject }) => {
      if (end.error === undefined) return resolve({ value: undefined, done: true });
      const { error } = end;
      end.error = undefined;
      reject(error);
    };
    subscription = this.#run({
      next: value => {
        if (end) return;
        if (takers.length) {
          takers.shift().resolve({ value, done: false });
          pace.took?.();
        } else if (pace.took || queue.length < MAX_QUEUE) queue.push(value);
        else finish(new SocketError("overflow", `the loop is ${MAX_QUEUE} values behind`));
      },
      error: finish,
      complete: () => finish(),
    }, pace);
    if (end) subscription.unsubscribe();
    return {
      next: () => new Promise((resolve, reject) => {
        if (queue.length) {
          resolve({ value: queue.shift(), done: false });
          pace.took?.();
        } else if (end) settle({ resolve, reject });
        else takers.push({ resolve, reject });
      }),
      return: async () => {
        queue.length = 0;
        finish();
        end.error = undefined;
        return { value: undefined, done: true };
      },
      [Symbol.asyncIterator]() { return this; },
    };
  }
}

/** Hot is the source of a stream that goes on with and without subscribers. */
class Hot {
  #sinks = []; // replaced, not changed: a loop may be over it
  #ended;

  /** last, if there is one, is called when the last subscriber has gone. */
  constructor(last = ignore) {
    this.last = last;
    this.stream = new Stream(sink => this.attach(sink));
  }

  get observed() { return this.#sinks.length > 0; }

  /**
   * attach gives a sink the values from now on, and first the kept value, if there is
   * one.
   */
  attach(sink) {
    if ("value" in this) sink.next(this.value);
    if (this.#ended) return void (this.#ended.error ? sink.error(this.#ended.error) : sink.complete());
    if (sink.closed) return undefined;
    this.#sinks = [...this.#sinks, sink];
    return () => {
      const before = this.#sinks.length;
      this.#sinks = this.#sinks.filter(other => other !== sink);
      if (before > 0 && this.#sinks.length === 0 && !this.#ended) this.last();
    };
  }

  next(value) { for (const sink of this.#sinks) sink.next(value); }

  /** keep is next for a value that later subscribers get, too. */
  keep(value) {
    this.value = value;
    this.next(value);
  }

  end(error) {
    if (this.#ended) return;
    this.#ended = { error };
    const sinks = this.#sinks;
    this.#sinks = [];
    for (const sink of sinks) error ? sink.error(error) : sink.complete();
  }
}

/**
 * tell gives an error that ends nothing to the subscribers of such errors, or else to the
 * console.
 */
function tell(errors, error) {
  if (errors.observed) errors.next(error);
  else console.warn(error instanceof Error ? String(error) : error);
}

/** closable reports whether a browser may close with a code. */
const closable = code => code === 1000 || code >= 3000 && code <= 4999;

const undelivered = details => new SocketError("undelivered", "the connection is over", details);

// --- sessions --------------------------------------------------------------------------

const SESSION = "rxsocket.session.v1";
const MARK = "\0"; // begins a control message, and escapes a text that begins with it
const WINDOW_MESSAGES = 4096, WINDOW_BYTES = 1 << 20; // the most on their way
const ACK_MESSAGES = 256, ACK_BYTES = 64 << 10, ACK_DELAY = SECOND; // the bounds after which an acknowledgement is due

/**
 * Session is this side of a conversation over several sockets, in the protocol of wsource/session:
 * it keeps messages until they are acknowledged, and drops doubles.
 */
class Session {
  #write = ignore; #user; #token;
  #received = 0; #told = 0; #toldBytes = 0; #ackTimer; // of received messages
  #position = 0; // of the last message received on this socket
  #next = 1; #kept = []; #bytes = 0; // of sent messages

  /**
   * user has begun(kind, missed), take(text), acknowledged(), ended(close),
   * expired(unacknowledged), wrong(problem).
   */
  constructor(user) { this.#user = user; }

  /** greet greets the server on a new socket; write sends a text on it. */
  greet(write) {
    this.#write = write;
    this.ready = false;
    this.#told = this.#received;
    this.#toldBytes = 0;
    this.#control(this.#token ? `resume ${this.#token} ${this.#received}` : "hello");
  }

  /** broken notes the end of the socket. */
  broken() {
    this.#write = ignore;
    this.ready = false;
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
  }

  /** begun reports whether there is a conversation, with a socket or without. */
  get begun() { return this.#token !== undefined; }

  /** room reports whether another message may be sent. */
  room(text) {
    return this.ready && !this.closing && this.#kept.length < WINDOW_MESSAGES
      && (this.#kept.length === 0 || this.#bytes + 3 * text.length <= WINDOW_BYTES || this.#bytes + sizeOf(text) <= WINDOW_BYTES);
  }

  send(text, entry) {
    const bytes = sizeOf(text);
    this.#kept.push({ text, bytes, number: this.#next++, entry });
    this.#bytes += bytes;
    this.#write(escape(text));
  }

  /** end tells the server that the session ends behind the messages sent. */
  end(code, reason) { if (this.ready) this.#control(`end ${code} ${reason}`); }

  #control(text) { this.#write(MARK + text); }

  receive(text) {
    if (text[0] !== MARK) return this.#take(text);
    if (text[1] === MARK) return this.#take(text.slice(1));
    const [word, ...fields] = text.slice(1).split(" ");
    switch (word) {
      case "fresh": return this.#begin("fresh", fields[0], 0, 1);
      case "resumed": return this.#begin("recovered", fields[0], whole(fields[2]), whole(fields[3]));
      case "expired": return this.#reset();
      case "ack": return this.#acknowledged(whole(fields[0]));
      case "ask": return this.#acknowledge();
      case "end":
        if (!(whole(fields[0]) >= 1000 && whole(fields[0]) <= 4999)) return this.#user.wrong("end is without a code");
        this.closing = { code: Number(fields[0]), reason: fields.slice(1).join(" ") };
        this.#acknowledge();
        return this.#kept.length ? this.#control("ask") : this.#finish();
    }
    this.#user.wrong(`the control message ${word} is unknown`);
  }

  #begin(kind, token, received, next) {
    if (this.ready || !token || (kind === "fresh") === this.begun || !(next >= 1) || !this.#drop(received)) {
      return this.#user.wrong(`${kind} is not right here`);
    }
    this.#token = token;
    this.ready = true;
    this.closing = undefined;
    const missed = Math.max(0, next - this.#received - 1);
    this.#received += missed;
    this.#position = next - 1;
    this.#control(`go ${this.#kept[0]?.number ?? this.#next}`);
    for (const { text } of this.#kept) this.#write(escape(text));
    this.#user.begun(missed ? "gap" : kind, missed);
  }

  /**
   * drop gives up the messages that the server has received, and reports whether the
   * number is possible.
   */
  #drop(received) {
    const first = this.#kept[0]?.number ?? this.#next;
    if (!(received >= first - 1 && received < this.#next)) return false;
    for (const { bytes } of this.#kept.splice(0, received - first + 1)) this.#bytes -= bytes;
    return true;
  }

  #acknowledged(received) {
    if (!this.ready || !this.#drop(received)) return this.#user.wrong("ack is not right here");
    if (this.closing && this.#kept.length === 0) this.#finish();
    else this.#user.acknowledged();
  }

  #take(text) {
    if (!this.ready) return this.#user.wrong("a message came before the handshake");
    if (++this.#position <= this.#received) return; // a double
    this.#received = this.#position;
    this.#toldBytes += text.length;
    this.#user.take(text);
    if (!this.ready) return; // it was closed
    if (this.#received - this.#told >= ACK_MESSAGES || this.#toldBytes >= ACK_BYTES) this.#acknowledge();
    else this.#ackTimer ??= setTimeout(() => this.#acknowledge(), ACK_DELAY);
  }

  #acknowledge() {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    if (!this.ready || this.#received === this.#told) return;
    this.#told = this.#received;
    this.#toldBytes = 0;
    this.#control(`ack ${this.#received}`);
  }

  #finish() {
    const close = this.closing;
    this.#reset();
    this.#user.ended(close);
  }

  /** reset forgets the session, and reports the messages that may not have arrived. */
  #reset() { this.#user.expired(this.forget()); }

  /** forget forgets the session, and returns the messages that may not have arrived. */
  forget() {
    const kept = this.#kept;
    this.broken();
    this.#token = this.closing = undefined;
    this.#received = this.#told = this.#toldBytes = this.#position = this.#bytes = 0;
    this.#next = 1;
    this.#kept = [];
    return kept;
  }
}

const escape = text => text[0] === MARK ? MARK + text : text;

/** sizeOf returns the bytes of a text in UTF-8. */
const sizeOf = text => encoder.encode(text).length;

const encoder = new TextEncoder();

// --- the connection --------------------------------------------------------------------

/**
 * retryAfter returns the milliseconds that a close reason asks to wait: "...;
 * retry-after=1.5".
 */
export function retryAfter(reason = "") {
  const [, seconds] = /^retry-after=(\d+(?:\.\d+)?)$/.exec(reason.split("; ").pop()) ?? [];
  return Math.min(Number(seconds ?? 0) * SECOND, MAX_ADVICE);
}

/** address makes an absolute URL for a WebSocket. */
function address(url) {
  const full = new URL(url, globalThis.location?.href);
  full.protocol = full.protocol.replace("http", "ws");
  return full.href;
}

/** The close codes that end a session, and after which no other begins. */
const FINAL = new Set([1000, 1002, 1008, 4409, 4413]);

/**
 * Link is one WebSocket after the other, or one session. Texts sent while none is open wait, in
 * bounds. The user of a Link has opened, received(text), lost(error), unsure(text) and over(error, unsent);
 * with a session, opened and lost belong to the session and not to its sockets.
 */
class Link {
  #url; #options; #user; #socket;
  #outbox = new Set(); #bytes = 0;
  #failures = 0; #turn = 0; #timer; #dialled = 0; #opened = 0; #earliest = 0; #state = "connecting"; #session; #epoch = 0;
  #status = new Hot();

  constructor(url, options, user) {
    this.#options = {
      minDelay: 0.5 * SECOND, maxDelay: 30 * SECOND, maxQueued: 1024, maxQueuedBytes: 1 << 20,
      WebSocket: globalThis.WebSocket,
      reconnect: ({ code }) => options.session ? !FINAL.has(code) : PASSING.has(code), ...options,
    };
    if (options.session) {
      this.#session = new Session({
        begun: (kind, missed) => this.#ready(kind, missed),
        take: text => this.#user.received(text),
        acknowledged: () => this.#flush(),
        ended: close => {
          if (this.#state === "closed") return; // a listener of expired has ended it
          const socket = this.#socket;
          this.#closed(close);
          socket?.close(closable(close.code) ? close.code : 1000);
        },
        expired: kept => this.#expired(kept),
        wrong: problem => this.end(new SocketError("protocol", problem), 4400, "against the protocol"),
      });
    }
    if (typeof this.#options.WebSocket !== "function") {
      throw new SocketError("unsupported", "there is no WebSocket; give one as an option");
    }
    this.#url = url;
    this.#user = user;
    this.status = this.#status.stream;
    globalThis.addEventListener?.("online", this.#hasten);
    globalThis.addEventListener?.("pageshow", this.#hasten);
    globalThis.addEventListener?.("pagehide", this.#leave);
    globalThis.document?.addEventListener("visibilitychange", this.#hasten);
    if (typeof url !== "function") address(url); // may throw
    this.#dial();
  }

  get open() { return this.#state === "open"; }

  /**
   * live reports whether there is a conversation, perhaps without a socket at the moment.
   */
  get live() { return this.open || this.#session?.begun === true; }

  /**
   * takes reports whether the socket takes messages: after a close frame it drops them,
   * before it says so.
   */
  get #takes() { return this.open && this.#socket?.readyState === 1; }

  /**
   * epoch counts the conversations: connections, or sessions. A part of one keeps its
   * epoch.
   */
  get epoch() { return this.#epoch; }

  #tell(state, details) {
    this.#state = state;
    this.#status.keep({ state, ...details });
  }

  async #dial() {
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    this.#dialled = Date.now();
    this.#tell("connecting", { attempt: this.#failures + 1 });
    await undefined; // the maker of the connection subscribes first
    if (turn !== this.#turn) return;
    let socket;
    const mine = f => event => { if (turn === this.#turn) f(event); };
    this.#timer = setTimeout(mine(() => { // for the URL, as a fetched ticket, and the handshake
      socket?.close();
      this.#closed({ code: 1006, reason: "the handshake took too long" });
    }), HANDSHAKE);
    try {
      const url = typeof this.#url === "function" ? await this.#url() : this.#url;
      if (turn !== this.#turn) return;
      const protocols = [this.#options.protocols ?? []].flat();
      socket = new this.#options.WebSocket(address(url), this.#session ? [SESSION, ...protocols] : protocols);
    } catch (error) {
      mine(() => this.#again({ error }))();
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onerror = ignore; // close follows
    socket.onopen = mine(() => this.#open());
    socket.onmessage = mine(({ data }) => {
      const text = typeof data === "string" ? data : new TextDecoder().decode(data);
      this.#session ? this.#session.receive(text) : this.#user.received(text);
    });
    socket.onclose = mine(({ code, reason }) => this.#closed({ code, reason }));
  }

  #open() {
    if (!this.#session) return this.#ready();
    if (this.#socket.protocol !== SESSION) {
      return this.end(new SocketError("protocol", `the server does not speak ${SESSION}`), 4400);
    }
    const socket = this.#socket;
    this.#session.greet(text => socket.send(text));
  }

  /** ready notes that messages can be sent, and sends those that wait. */
  #ready(session, missed) {
    clearTimeout(this.#timer);
    this.#opened = Date.now();
    this.#state = "open";
    if (!session || session === "fresh") this.#user.opened();
    this.#flush();
    if (this.open) this.#tell("open", session && { session, missed });
  }

  /** flush sends the messages that wait, as far as there is room. */
  #flush() {
    for (const entry of this.#outbox) {
      if (!this.open || this.#session && !this.#session.room(entry.text)) return;
      this.withdraw(entry);
      this.#put(entry.again?.() ?? entry.text, entry);
    }
  }

  #put(text, entry) {
    this.#session ? this.#session.send(text, entry) : this.#socket.send(text);
    entry.sent?.();
  }

  /** lose notes the end of a conversation: its parts fail. */
  #lose(error) {
    this.#epoch++;
    for (const entry of this.#outbox) if (entry.passing) this.withdraw(entry);
    this.#user.lost(error);
  }

  /** expired notes the end of a session; kept are the messages that it kept. */
  #expired(kept) {
    if (this.#state === "closed") return;
    this.#unsure(kept);
    this.#lose(new SocketError("connection_lost", "the session is over"));
  }

  /** unsure reports messages of a session that may have arrived or not. */
  #unsure(kept) { for (const { text, entry } of kept) if (!entry.again && !entry.passing) this.#user.unsure(text); }

  #closed(close) {
    clearTimeout(this.#timer);
    const lived = this.open ? Date.now() - this.#opened : 0;
    this.#turn++; // no event of this socket counts any more
    this.#socket = undefined;
    this.#session?.broken();
    if (lived >= STABLE) this.#failures = 0;
    const goesOn = close.code === 4410 && this.#session || this.#options.reconnect(close);
    if (this.#state === "closed") return; // reconnect has ended it
    if (goesOn) return this.#again(close);
    const orderly = close.code === 1000 || close.code === 1005;
    this.end(orderly ? undefined : new SocketError("closed", `the server has closed with ${close.code} ${close.reason}`, { close }));
  }

  /**
   * again plans another attempt: a back-off with full jitter, on top of the server's
   * advice.
   */
  #again(cause) {
    const { minDelay, maxDelay } = this.#options, advised = retryAfter(cause.reason);
    this.#earliest = Date.now() + advised;
    const delay = Math.min(advised + Math.random() * Math.min(maxDelay, minDelay * 2 ** this.#failures++), MAX_TIMER);
    const turn = this.#turn;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#dial(), delay);
    this.#state = "waiting";
    if (!this.#session) this.#lose(new SocketError("connection_lost", "the connection has ended", { close: cause }));
    if (turn === this.#turn) this.#tell("waiting", { delay, advised, ...cause });
  }

  /** hasten shortens the wait when the network is back, or the page is shown again. */
  #hasten = event => {
    if (this.#state !== "waiting" || event.type !== "online" && globalThis.document.hidden) return;
    clearTimeout(this.#timer);
    const due = Math.max(this.#earliest, this.#dialled + this.#options.minDelay);
    this.#timer = setTimeout(() => this.#dial(), Math.max(0, due - Date.now()));
  };

  /**
   * leave closes the socket of a page that the browser keeps for the way back: it would
   * stay open, and hear nothing.
   */
  #leave = ({ persisted }) => {
    if (!persisted || this.#state === "waiting") return;
    const socket = this.#socket;
    this.#closed({ code: 1001, reason: "the page is left" });
    socket?.close();
  };

  /**
   * send sends a text, or queues it. again makes a newer text of one that has waited, sent is
   * called when it is sent. It returns the argument for withdraw, or throws.
   */
  send(text, { again, sent, passing = false } = {}) {
    const { maxQueued, maxQueuedBytes } = this.#options;
    if (this.#state === "closed") throw new SocketError("closed", "the connection is over");
    const direct = this.#takes && (!this.#session || this.#outbox.size === 0 && this.#session.room(text));
    const waiting = direct ? this.#socket.bufferedAmount : this.#bytes;
    const full = waiting > 0 && waiting + text.length > maxQueuedBytes || this.#outbox.size >= maxQueued;
    if (passing ? this.#outbox.size >= maxQueued + WINDOW_MESSAGES : full) {
      throw new SocketError("overflow", "too much waits to be sent");
    }
    const entry = { text, again, sent, passing };
    if (direct) {
      this.#put(text, entry);
      return undefined;
    }
    this.#outbox.add(entry);
    this.#bytes += text.length;
    return entry;
  }

  withdraw(entry) { if (this.#outbox.delete(entry)) this.#bytes -= entry.text.length; }

  /** tell sends a text that is of use in this conversation only. */
  tell(text) {
    if (!this.#session) {
      if (this.#takes) this.#socket.send(text);
    } else if (this.#session.begun && this.#state !== "closed") this.#enqueue(text);
  }

  /** enqueue sends a text that a session must not lose, behind the texts that wait. */
  #enqueue(text) {
    try { this.send(text, { passing: true }); } catch (error) { this.end(error, 4413, "too much waits"); }
  }

  /** end ends the link for good, as a failure if there is an error. */
  end(error, code = 1000, reason = "") {
    if (this.#state === "closed") return;
    this.#turn++;
    clearTimeout(this.#timer);
    globalThis.removeEventListener?.("online", this.#hasten);
    globalThis.removeEventListener?.("pageshow", this.#hasten);
    globalThis.removeEventListener?.("pagehide", this.#leave);
    globalThis.document?.removeEventListener("visibilitychange", this.#hasten);
    const orderly = !error && this.#takes; // the socket sends its messages, and then closes
    if (code !== 1000) this.#session?.end(code, reason);
    this.#socket?.close(code, reason);
    const kept = this.#session?.forget() ?? [];
    const unsent = [...this.#outbox].filter(entry => !entry.again && !entry.passing).map(entry => entry.text);
    this.#outbox.clear();
    this.#bytes = 0;
    this.#tell("closed", error && { error });
    if (!orderly) this.#unsure(kept);
    this.#user.over(error, unsent);
    this.#status.end();
  }
}

// --- named events ----------------------------------------------------------------------

const REPLY = "rx.reply", NEXT = "rx.next", COMPLETE = "rx.complete", ERROR = "rx.error";

/** checked returns a valid name of an event, or throws. */
function checked(what, name, reserved = true) {
  if (typeof name !== "string" || name === "") throw new TypeError(`the ${what} is not a string, or empty`);
  if (encoder.encode(name).length > MAX_NAME) throw new TypeError(`the ${what} is longer than ${MAX_NAME} bytes`);
  if (reserved && name.startsWith("rx.")) throw new TypeError(`the ${what} begins with "rx."`);
  return name;
}

/** newID returns a UUID, version 7 (RFC 9562). */
export function newID() {
  const b = crypto.getRandomValues(new Uint8Array(16));
  new DataView(b.buffer).setUint32(0, Math.floor(Date.now() / 0x10000));
  new DataView(b.buffer).setUint16(4, Date.now() % 0x10000);
  b[6] = b[6] & 0x0f | 0x70;
  b[8] = b[8] & 0x3f | 0x80;
  const hex = Array.from(b, byte => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** decode makes an event of a text, or throws. */
function decode(text) {
  let e;
  try { e = JSON.parse(text); } catch { /* below */ }
  const wrong = (code, message) => new SocketError(code, message, { id: e?.id, type: e?.type });
  if (!isObject(e)) throw wrong("malformed", "it is no JSON object");
  if (e.v !== undefined && e.v !== 1) throw wrong("unknown_version", "it is of another version");
  if (typeof e.type !== "string" || !e.type) throw wrong("missing_type", "it has no type");
  if (!e.id && !e.type.startsWith("rx.")) throw wrong("missing_id", "it has no id");
  const field = unfit(e, ENVELOPE);
  if (field) throw wrong("malformed", `its field ${field} has the wrong form`);
  if (e.created !== undefined) e.created = Number(e.created);
  if (typeof e.data_base64 === "string") {
    try { e.data = Uint8Array.from(atob(e.data_base64), c => c.charCodeAt(0)); } catch { throw wrong("bad_data", "data_base64 is wrong"); }
  }
  return e;
}

/** pack returns the fields of an event for a value. */
function pack(data) {
  if (!(data instanceof Uint8Array)) return { data };
  let text = "";
  for (const byte of data) text += String.fromCharCode(byte);
  return { data_base64: btoa(text) };
}

/** Connection is named events over WebSockets. connect makes it. */
class Connection {
  #link; #source;
  #kinds = new Map(); #topics = new Map(); #questions = new Map(); #late = new Set();
  #answerers = new Map(); #answers = new Map(); #end;
  #errors = new Hot(); #unheard = new Hot();

  constructor(url, { source, ...options }) {
    this.#source = source && checked("source", source, false);
    this.errors = this.#errors.stream;
    this.unheard = this.#unheard.stream;
    this.#link = new Link(url, options, {
      opened: () => { for (const [pattern, topic] of this.#topics) this.#join(pattern, topic); },
      received: text => this.#receive(text),
      lost: error => this.#lose(error),
      unsure: text => this.#report(undelivered({ event: JSON.parse(text), unsure: true })),
      over: (error, unsent) => this.#over(error, unsent),
    });
    this.status = this.#link.status;
  }

  /** close ends the connection for good; all its streams complete. */
  close(code, reason) { this.#link.end(undefined, code, reason); }

  #report(error) { tell(this.#errors, error); }

  #lose(error) {
    for (const q of [...this.#questions.values()]) if (q.sent) this.#forget(q).fail(error);
    for (const a of this.#answers.values()) a.cancel(error);
  }

  #over(error, unsent) {
    const cause = error ?? new SocketError("closed", "the connection is over");
    this.#end = { error };
    for (const text of unsent) {
      this.#report(undelivered({ event: JSON.parse(text) }));
    }
    for (const q of [...this.#questions.values()]) this.#forget(q).fail(cause);
    for (const a of this.#answers.values()) a.cancel(cause);
    for (const hot of [...this.#kinds.values(), ...this.#topics.values(), this.#unheard, this.#errors]) {
      hot.end(hot === this.#errors ? undefined : error);
    }
  }

  // The common part of the two directions.

  #tell(e) { this.#link.tell(JSON.stringify(e)); }

  #refuse(corr, code, message) { this.#tell({ type: ERROR, corr, data: { code, message } }); }

  #receive(text) {
    let e;
    try { e = decode(text); } catch (error) { return this.#report(error); }
    switch (e.type) {
      case REPLY: case NEXT: case COMPLETE: case ERROR: return this.#answered(e);
      case "rx.cancel": return this.#answers.get(e.corr)?.cancel();
      case "rx.credit": return this.#answers.get(e.corr)?.grant(e.credit ?? 0);
      case "rx.subscribed": return undefined; // values may follow it
    }
    if (e.type.startsWith("rx.")) {
      this.#report(new SocketError("reserved_type", `${e.type} is not for this side`));
    } else if (e.credit > 0) this.#asked(e);
    else this.#dispatch(e);
  }

  // Events.

  #dispatch(e) {
    const kind = this.#kinds.get(e.type), topic = e.topic ? this.#topics.get(e.pattern || e.topic) : undefined;
    kind?.next(e);
    topic?.next(e);
    if (!kind && !topic) this.#unheard.next(e);
  }

  /**
   * hot returns the stream of a name in a map, which it has while somebody subscribes.
   */
  #hot(map, name, first = ignore, last = ignore) {
    return new Stream(sink => {
      if (this.#end) return void (this.#end.error ? sink.error(this.#end.error) : sink.complete());
      let hot = map.get(name);
      if (!hot) {
        hot = new Hot(() => {
          map.delete(name);
          last();
        });
        map.set(name, hot);
        first(hot);
      }
      return hot.attach(sink);
    });
  }

  /** events is the stream of the events of a type, with all their fields. */
  events(type) { return this.#hot(this.#kinds, checked("type", type)); }

  /** on is the stream of the data of the events of a type. */
  on(type) {
    const events = this.events(type);
    return new Stream(sink => events.subscribe({
      next: e => sink.next(e.data), error: error => sink.error(error), complete: () => sink.complete(),
    }).unsubscribe);
  }

  /** emit sends an event, now or when there is a connection, and returns its id. */
  emit(type, data, { topic, source = this.#source } = {}) {
    const e = { id: newID(), type: checked("type", type), created: Date.now(), source, topic, ...pack(data) };
    this.#link.send(JSON.stringify(e));
    return e.id;
  }

  /** emitter is the observer that emits each value. */
  emitter(type) {
    checked("type", type);
    return { next: data => { this.emit(type, data); }, error: error => this.#report(error), complete: ignore };
  }

  // Topics.

  #join(pattern, topic) {
    topic.id = newID();
    this.#tell({ id: topic.id, type: "rx.subscribe", topic: pattern });
  }

  /**
   * topic is the stream of the events under a topic, or under the topics of a pattern.
   */
  topic(pattern) {
    return this.#hot(this.#topics, checked("topic", pattern, false), hot => {
      if (this.#link.live) this.#join(pattern, hot);
    }, () => this.#tell({ id: newID(), type: "rx.unsubscribe", topic: pattern }));
  }

  /** publish emits an event under a topic. */
  publish(topic, type, data) { return this.emit(type, data, { topic: checked("topic", topic, false) }); }

  // Questions of this side.

  /** ask asks, and resolves with the answer. */
  ask(type, data, { timeout = 10 * SECOND, signal } = {}) {
    return new Promise((resolve, reject) => {
      const subscription = this.#question(type, data, 1, timeout, signal).subscribe({
        next: value => {
          resolve(value);
          subscription.unsubscribe(); // the answer never comes before subscribe has returned
        },
        error: reject,
        complete: () => reject(new SocketError("empty", "the answer has no value")),
      });
    });
  }

  /**
   * askMany is the stream of the values that answer a question. Each subscription asks.
   */
  askMany(type, data, { window = 64, timeout = 0, signal } = {}) {
    if (!Number.isSafeInteger(window) || window < 1) throw new RangeError("the window is less than 1");
    return this.#question(type, data, window, timeout, signal);
  }

  #question(type, data, window, timeout, signal) {
    checked("type", type);
    return new Stream((sink, pace) => {
      if (signal?.aborted) return void sink.error(signal.reason);
      const id = newID(), deadline = timeout > 0 && timeout <= MAX_TIMER ? Date.now() + timeout : undefined;
      let credit = window, taken = 0, timer;
      const q = {
        id, sent: false,
        fail: error => sink.error(error),
        receive: e => {
          if (e.type === ERROR) return this.#forget(q).fail(remote(e));
          if (e.type === COMPLETE) {
            this.#forget(q);
            return sink.complete();
          }
          if (--credit < 0) {
            this.#giveUp(q);
            return sink.error(new SocketError("credit_exceeded", "more values have come than were asked for"));
          }
          if (e.type === REPLY) this.#forget(q);
          sink.next(e.data);
          if (e.type === REPLY) sink.complete();
          else if (!pace) took();
        },
      };
      const took = () => {
        if (++taken < Math.max(window >> 1, 1) || this.#questions.get(id) !== q) return;
        credit += taken;
        this.#tell({ type: "rx.credit", corr: id, credit: taken });
        taken = 0;
      };
      if (pace) pace.took = took;
      const text = () => JSON.stringify({
        id, type, created: Date.now(), source: this.#source, credit: window,
        timeout: deadline && Math.max(1, Math.ceil(deadline - Date.now())), ...pack(data),
      });
      const failing = error => () => {
        this.#giveUp(q);
        sink.error(error());
      };
      const aborted = failing(() => signal.reason);
      try {
        this.#questions.set(id, q);
        q.entry = this.#link.send(text(), { again: text, sent: () => { q.sent = true; } });
      } catch (error) {
        this.#questions.delete(id);
        return void sink.error(error);
      }
      signal?.addEventListener("abort", aborted);
      if (deadline) timer = setTimeout(failing(() => new SocketError("deadline_exceeded", `no answer to ${type} in time`)), timeout);
      return () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", aborted);
        this.#giveUp(q);
      };
    });
  }

  #forget(q) {
    this.#questions.delete(q.id);
    return q;
  }

  /** giveUp forgets a question without an answer, and tells the peer. */
  #giveUp(q) {
    if (!this.#questions.delete(q.id)) return;
    if (!q.sent) return this.#link.withdraw(q.entry);
    this.#tell({ type: "rx.cancel", corr: q.id });
    this.#late.add(q.id);
    if (this.#late.size > MAX_LATE) this.#late.delete(this.#late.values().next().value);
  }

  #answered(e) {
    const q = this.#questions.get(e.corr);
    if (q) return q.receive(e);
    if (this.#late.has(e.corr)) return undefined; // it was on its way
    if (e.type !== ERROR) return this.#report(new SocketError("no_such_question", "an answer to nothing", { corr: e.corr }));
    const topic = this.#topics.get(e.topic);
    if (!topic || topic.id !== e.corr) return this.#report(remote(e));
    this.#topics.delete(e.topic);
    topic.end(remote(e));
  }

  // Questions of the peer.

  /**
   * answer makes f answer the peer's questions of a type, until the result's unsubscribe.
   */
  answer(type, f) {
    checked("type", type);
    if (this.#answerers.has(type)) throw new TypeError(`${type} is answered already`);
    this.#answerers.set(type, f);
    return { unsubscribe: () => { if (this.#answerers.get(type) === f) this.#answerers.delete(type); } };
  }

  async #asked(e) {
    const f = this.#answerers.get(e.type);
    if (!f) {
      this.#unheard.next(e);
      return this.#refuse(e.id, "unknown_type", "nobody answers this type");
    }
    if (this.#answers.has(e.id)) return this.#refuse(e.id, "duplicate_id", "a question with this id is under way");
    if (this.#answers.size >= MAX_ANSWERS) return this.#refuse(e.id, "busy", "too many questions are under way");
    const controller = new AbortController(), { signal } = controller, { epoch } = this.#link;
    let { credit } = e, wake = ignore, cancelled = false;
    signal.addEventListener("abort", () => wake());
    const a = {
      cancel: reason => {
        cancelled = true;
        controller.abort(reason);
      },
      grant: n => {
        credit += n;
        wake();
      },
    };
    this.#answers.set(e.id, a);
    const late = new PublicError("deadline_exceeded", "the answer took too long");
    const timer = e.timeout > 0 && setTimeout(() => controller.abort(late), Math.min(e.timeout, MAX_TIMER));
    const part = fields => JSON.stringify({ ...fields, corr: e.id }); // throws for a value that is no JSON
    const reply = text => { if (!cancelled && epoch === this.#link.epoch) this.#link.tell(text); };
    let end, stop = ignore;
    try {
      const result = await f(e.data, { signal, event: e });
      if (typeof result?.[Symbol.asyncIterator] === "function") {
        const values = result[Symbol.asyncIterator]();
        stop = async () => { try { await values.return?.(); } catch { /* it is over anyway */ } };
        signal.aborted ? stop() : signal.addEventListener("abort", stop);
        for (;;) {
          while (credit <= 0 && !signal.aborted) await new Promise(resolve => { wake = resolve; });
          const step = signal.aborted ? { done: true } : await values.next();
          if (step.done) break;
          credit--;
          reply(part({ type: NEXT, ...pack(step.value) }));
        }
        end = part({ type: COMPLETE });
      } else end = part({ type: REPLY, ...pack(result) });
      if (signal.aborted) throw signal.reason;
    } catch (error) {
      if (!signal.aborted) stop();
      const known = error instanceof PublicError;
      if (!known && !cancelled) this.#report(error);
      const data = known ? { code: String(error.code), message: String(error.text) } : { code: "internal", message: "the answer has failed" };
      end = part({ type: ERROR, data });
    }
    clearTimeout(timer);
    this.#answers.delete(e.id);
    reply(end);
  }
}

/** remote makes the error of an rx.error. */
function remote(e) {
  const { code, message } = e.data ?? {};
  return new RemoteError(isText(code) ? code : "unknown", isText(message) ? message : "", { corr: e.corr, topic: e.topic });
}

/** connect connects to a server of named events, and stays connected until close. */
export function connect(url, options = {}) { return new Connection(url, options); }

// --- rooms -----------------------------------------------------------------------------

/** Room is one room of a hub, over WebSockets of its own. joinRoom makes it. */
class Room {
  #link; #position; #members = new Map();
  #events = new Hot(); #said = new Hot(); #present = new Hot(); #errors = new Hot();

  constructor(url, options) {
    const target = () => {
      if (typeof url === "function") return url(this.#position);
      const full = new URL(address(url));
      for (const [name, value] of Object.entries(this.#position ?? {})) full.searchParams.set(name, value);
      return full;
    };
    this.events = this.#events.stream;
    this.said = this.#said.stream;
    this.members = this.#present.stream;
    this.errors = this.#errors.stream;
    this.#link = new Link(target, options, {
      opened: ignore,
      lost: ignore,
      unsure: text => this.#report(undelivered({ value: JSON.parse(text), unsure: true })),
      received: text => this.#receive(text),
      over: (error, unsent) => {
        for (const text of unsent) this.#report(undelivered({ value: JSON.parse(text) }));
        for (const hot of this.hots) hot.end(error);
        this.#errors.end();
      },
    });
    this.status = this.#link.status;
  }

  get hots() { return [this.#events, this.#said, this.#present]; }

  /**
   * position is the position of the last event, from which the room goes on after a
   * break.
   */
  get position() { return this.#position; }

  #receive(text) {
    let e;
    try { e = JSON.parse(text); } catch { /* below */ }
    if (!isObject(e) || !isText(e.kind)) return this.#malformed("it is no event of a room");
    const field = unfit(e, ROOM_EVENT) ?? this.unfit(e);
    if (field) return this.#malformed(`the field ${field} of an event of a room has the wrong form`);
    if (e.position) this.#position = { epoch: e.position.epoch, offset: e.position.offset };
    switch (e.kind) {
      case "welcome":
        e.recovery ??= "fresh"; // the default
        this.#members = new Map((e.members ?? []).map(m => [m.key, m.meta]));
        break;
      case "entered": case "changed": this.#members.set(e.member, e.meta); break;
      case "left": this.#members.delete(e.member); break;
    }
    this.take(e);
    if (e.kind === "said") this.#said.next(e);
    else this.#present.keep(new Map(this.#members));
    this.#events.next(e);
  }

  #report(error) { tell(this.#errors, error); }

  #malformed(problem) { this.#report(new SocketError("malformed", problem)); }

  /**
   * unfit is for further checks of a room's events: it returns the name of a field with
   * the wrong form.
   */
  unfit() {}

  /** take is for values made of a room's events. */
  take() {}

  /** send sends the server a value, as JSON. Its meaning there is the application's. */
  send(value) { this.#link.send(JSON.stringify(value)); }

  /** close leaves the room for good; all its streams complete. */
  close(code, reason) { this.#link.end(undefined, code, reason); }
}

/** SharedState is a room with a map that all its members share. joinState makes it. */
class SharedState extends Room {
  #values; #coming = 0; #maps = new Hot();

  constructor(url, options) {
    super(url, options);
    this.maps = this.#maps.stream;
  }

  get hots() { return [...super.hots, this.#maps]; }

  /** get returns the value of a key, or undefined. */
  get(key) { return this.#values?.get(key); }

  unfit(e) { return e.kind === "said" && !e.private && !isObject(e.value) ? "value" : undefined; }

  // It does what hub.StateMaps does.
  take(e) {
    if (e.kind === "welcome") {
      const goesOn = e.recovery === "recovered" && this.#values;
      if (goesOn && this.#coming === 0) return;
      if (!goesOn) this.#values = new Map();
      this.#coming = e.replayed ?? 0;
    } else if (e.kind === "said" && !e.private) {
      this.#values ??= new Map();
      if (e.value.deleted) this.#values.delete(e.value.key);
      else this.#values.set(e.value.key, e.value.value);
      if (this.#coming > 0) this.#coming--;
    } else return;
    if (this.#coming === 0) this.#maps.keep(new Map(this.#values));
  }
}

/** joinRoom joins a room of a hub, and comes back to its last position, until close. */
export function joinRoom(url, options = {}) { return new Room(url, options); }

/** joinState is joinRoom for a room of hub.NewStates. */
export function joinState(url, options = {}) { return new SharedState(url, options); }
