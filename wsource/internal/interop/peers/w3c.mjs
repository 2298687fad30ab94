// A client by the interface of the W3C, which browsers, undici and others have.
import { content, received } from "./messages.mjs";

// client returns the commands of a client that uses this kind of WebSocket.
export const client = (WebSocket, tell) => {
	const sockets = new Map();
	return {
		sockets,
		dial({ id, url, protocols }) {
			const socket = new WebSocket(url, protocols);
			sockets.set(id, socket);
			socket.binaryType = "arraybuffer";
			socket.onopen = () => tell({
				event: "open", id, protocol: socket.protocol, compressed: socket.extensions !== "",
			});
			socket.onmessage = ({ data }) => tell(received(id, data));
			socket.onclose = ({ code, reason }) => tell({ event: "close", id, code, reason });
		},
		send(command) {
			sockets.get(command.id).send(content(command));
		},
		count({ id, to }) {
			for (let i = 0; i < to; i++) sockets.get(id).send(String(i));
		},
		close({ id, code, reason }) {
			code ? sockets.get(id).close(code, reason) : sockets.get(id).close();
		},
		forget({ id }) {
			sockets.get(id)?.close();
		},
	};
};
