// The peer of npm's ws, as client and server.
import WebSocket, { WebSocketServer } from "ws";
import { serve, tell } from "./lines.mjs";
import { content, received } from "./messages.mjs";

const sockets = new Map(), servers = new Map();

const compression = (d) => d && {
	threshold: 0,
	serverNoContextTakeover: d.server_no_context_takeover, clientNoContextTakeover: d.client_no_context_takeover,
	serverMaxWindowBits: d.server_max_window_bits, clientMaxWindowBits: d.client_max_window_bits,
};

const opened = (id, socket) => {
	sockets.set(id, socket);
	tell({ event: "open", id, protocol: socket.protocol, compressed: socket.extensions !== "" });
};

const watch = (id, socket) => {
	socket.on("open", () => opened(id, socket));
	socket.on("message", (data, binary) => tell(received(id, binary ? data : data.toString())));
	socket.on("pong", (data) => tell({ event: "pong", id, data: data.toString() }));
	socket.on("close", (code, reason) => tell({ event: "close", id, code, reason: reason.toString() }));
	socket.on("error", (error) => tell({ event: "failed", id, error: String(error) }));
};

serve("ws", {
	listen({ id, protocols, deflate }) {
		const server = new WebSocketServer({
			host: "127.0.0.1", port: 0, perMessageDeflate: compression(deflate),
			handleProtocols: (offered) => protocols.find((p) => offered.has(p)) ?? false,
		});
		servers.set(id, server);
		server.on("listening", () => tell({ event: "listening", id, port: server.address().port }));
		server.on("connection", (socket) => {
			watch(id, socket);
			opened(id, socket);
		});
	},
	dial({ id, url, protocols, deflate }) {
		watch(id, new WebSocket(url, protocols, { perMessageDeflate: compression(deflate) ?? false }));
	},
	send(command) {
		sockets.get(command.id).send(content(command), { binary: command.type === "binary" });
	},
	parts({ id, parts }) {
		parts.forEach((part, i) => sockets.get(id).send(part, { fin: i === parts.length - 1 }));
	},
	count({ id, to }) {
		for (let i = 0; i < to; i++) sockets.get(id).send(String(i));
	},
	ping({ id, texts }) {
		for (const text of texts) sockets.get(id).ping(text);
	},
	close({ id, code, reason }) {
		sockets.get(id).close(code || undefined, reason || undefined);
	},
	cut({ id }) {
		sockets.get(id).terminate();
	},
	forget({ id }) {
		sockets.get(id)?.terminate();
		servers.get(id)?.close();
	},
});
