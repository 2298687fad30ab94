// The peer of npm's undici. Its WebSocket is built into Node.js from version 22 on.
import { subscribe } from "node:diagnostics_channel";
import { WebSocket, ping } from "undici";
import { serve, tell } from "./lines.mjs";
import { client } from "./w3c.mjs";

const commands = client(WebSocket, tell);

subscribe("undici:websocket:pong", ({ payload, websocket }) => {
	for (const [id, socket] of commands.sockets) {
		if (socket === websocket) tell({ event: "pong", id, data: payload.toString() });
	}
});

serve("undici", {
	...commands,
	ping({ id, texts }) {
		for (const text of texts) ping(commands.sockets.get(id), Buffer.from(text));
	},
});
