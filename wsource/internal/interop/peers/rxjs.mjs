// The peer of npm's RxJS: webSocket, over the WebSocket of ws.
import { webSocket } from "rxjs/webSocket";
import { WebSocket } from "ws";
import { serve, tell } from "./lines.mjs";
import { content, received } from "./messages.mjs";

const subjects = new Map(), topics = new Map();

const dial = ({ id, url, protocols }, codec) => {
	let socket;
	const subject = webSocket({
		url, protocol: protocols, binaryType: "arraybuffer", ...codec,
		WebSocketCtor: function (...args) { return socket = new WebSocket(...args); },
		openObserver: { next: () => tell({ event: "open", id, protocol: socket.protocol, compressed: socket.extensions !== "" }) },
		closeObserver: { next: ({ code, reason }) => tell({ event: "close", id, code, reason }) },
	});
	subjects.set(id, subject);
	return subject;
};

serve("rxjs", {
	dial(command) {
		const { id } = command;
		const subject = dial(command, { serializer: (data) => data, deserializer: ({ data }) => data });
		subject.subscribe({ next: (data) => tell(received(id, data)), error: () => {} }); // the closeObserver tells
	},
	send(command) {
		subjects.get(command.id).next(content(command));
	},
	count({ id, to }) {
		for (let i = 0; i < to; i++) subjects.get(id).next(String(i));
	},
	close({ id, code, reason }) {
		code ? subjects.get(id).error({ code, reason }) : subjects.get(id).complete();
	},
	// subscribe and unsubscribe are multiplex: the first topic dials, with JSON both
	// ways.
	subscribe(command) {
		const { id, topic } = command;
		const subject = subjects.get(id) ?? dial(command, {});
		const values = subject.multiplex(
			() => ({ op: "subscribe", topic }), () => ({ op: "unsubscribe", topic }), (value) => value.topic === topic);
		topics.set(topic, values.subscribe({
			next: ({ value }) => tell({ event: "value", id, topic, value }),
			error: () => tell({ event: "end", id, topic, how: "error" }),
			complete: () => tell({ event: "end", id, topic, how: "complete" }),
		}));
	},
	unsubscribe({ topic }) {
		topics.get(topic).unsubscribe();
	},
	forget({ id }) {
		subjects.get(id)?.unsubscribe();
	},
});
