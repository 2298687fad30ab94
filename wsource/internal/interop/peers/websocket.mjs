// The peer of npm's websocket, as client and server.
import { createServer } from "node:http";
import websocket from "websocket";
import { serve, tell } from "./lines.mjs";
import { content, received } from "./messages.mjs";

const sockets = new Map(), servers = new Map();

// The package takes 64 KiB in a frame by default, as a server.
const limits = { maxReceivedFrameSize: 1 << 20, maxReceivedMessageSize: 1 << 20 };

const opened = (id, socket) => {
	sockets.set(id, socket);
	socket.on("message", ({ utf8Data, binaryData }) => tell(received(id, utf8Data ?? binaryData)));
	socket.on("pong", (data) => tell({ event: "pong", id, data: data.toString() }));
	socket.on("close", (code, reason) => tell({ event: "close", id, code, reason }));
	tell({ event: "open", id, protocol: socket.protocol ?? "", compressed: socket.extensions?.length > 0 });
};

serve("websocket", {
	listen({ id, protocols }) {
		const http = createServer();
		servers.set(id, http);
		http.listen(0, "127.0.0.1", () => tell({ event: "listening", id, port: http.address().port }));
		const server = new websocket.server({ httpServer: http, ...limits });
		server.on("request", (request) => {
			const protocol = protocols.find((p) => request.requestedProtocols.includes(p));
			opened(id, request.accept(protocol, request.origin));
		});
	},
	dial({ id, url, protocols }) {
		const client = new websocket.client(limits);
		client.on("connect", (socket) => opened(id, socket));
		client.on("connectFailed", (error) => tell({ event: "failed", id, error: String(error) }));
		client.connect(url, protocols);
	},
	send(command) {
		const data = content(command), socket = sockets.get(command.id);
		command.type === "binary" ? socket.sendBytes(Buffer.from(data)) : socket.sendUTF(data);
	},
	count({ id, to }) {
		for (let i = 0; i < to; i++) sockets.get(id).sendUTF(String(i));
	},
	ping({ id, texts }) {
		for (const text of texts) sockets.get(id).ping(text);
	},
	close({ id, code, reason }) {
		sockets.get(id).close(code, reason);
	},
	cut({ id }) {
		sockets.get(id).socket.destroy();
	},
	forget({ id }) {
		sockets.get(id)?.socket.destroy();
		servers.get(id)?.close();
	},
});
