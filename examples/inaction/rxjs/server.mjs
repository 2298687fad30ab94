// The server in RxJS: node server.mjs [PORT]. Compare ../server.go.
import { createServer } from "node:http";
import { fromEvent, filter, map, mergeMap, partition, share, startWith, takeUntil, tap, Observable } from "rxjs";
import { WebSocketServer } from "ws";
import { decode, follow, tell } from "./journal.mjs";

const http = createServer();
const sockets = new WebSocketServer({ noServer: true });

// accept makes a connection of a request.
const accept = ({ request, socket, head }) => new Observable(sink => {
	sockets.handleUpgrade(request, socket, head, connection => { sink.next(connection); sink.complete(); });
});

const upgrades = fromEvent(http, "upgrade", (request, socket, head) => ({ request, socket, head }));
const [known, unknown] = partition(upgrades.pipe(share()), ({ request }) => request.url === "/");

unknown.subscribe(({ request, socket }) => {
	tell("server", "refusal", request.url);
	socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
});

known.pipe(mergeMap(accept), map((connection, i) => ({ connection, who: `server ${i + 1}` }))).subscribe(({ connection, who }) => {
	follow(who, connection);
	fromEvent(connection, "message").pipe(
		takeUntil(fromEvent(connection, "close")),
		tap(({ data }) => tell(who, "message", data)),
		map(decode),
		map(({ msg }) => ({ msg: `You said ${msg}` })),
		startWith({ msg: "Hello Socket" }),
		filter(() => connection.readyState === connection.OPEN), // or send fails
	).subscribe({
		next: note => connection.send(JSON.stringify(note)),
		error: () => connection.close(1007, "not a note"),
	});
});

http.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
	console.log(`listening on ws://127.0.0.1:${http.address().port}; Ctrl-C stops`);
});
