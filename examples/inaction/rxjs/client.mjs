// The clients in RxJS: node client.mjs URL. Compare ../client.go.
import { lastValueFrom, Subject, take, tap } from "rxjs";
import { webSocket } from "rxjs/webSocket";
import { WebSocket } from "ws";
import { decode, tell } from "./journal.mjs";

const url = process.argv[2];

// talk connects, sends messages, and ends the connection when it has the greeting and an
// answer to each.
async function talk(who, url, messages) {
	const opened = new Subject(), closed = new Subject();
	const ended = lastValueFrom(closed.pipe(take(1)));
	const socket = webSocket({
		url, WebSocketCtor: WebSocket, openObserver: opened, closeObserver: closed,
		serializer: text => text, deserializer: decode,
	});
	opened.subscribe(() => {
		tell(who, "open");
		for (const message of messages) socket.next(message);
	});
	const heard = socket.pipe(take(1 + messages.length), tap(({ msg }) => tell(who, "message", msg)));
	let error;
	await lastValueFrom(heard, { defaultValue: undefined }).catch(e => { error = e; });
	const { code, reason } = await ended; // RxJS completes for any code, if the close was clean
	const refused = /server response: (\d+)/.exec(error?.message);
	if (refused) tell(who, "error", refused[1]);
	else if (code === 1000) tell(who, "close", code);
	else tell(who, "error", `${code} ${reason}`);
}

await talk("client 1", url, ["one", "two", "three"].map(msg => JSON.stringify({ msg })));
await talk("client 2", url, ["hello?"]);
await talk("client 3", `${url}/nowhere`, []);
