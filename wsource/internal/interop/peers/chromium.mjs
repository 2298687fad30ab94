// The peer of a page. A response that goes on stands in for a program's standard input,
// and a row of requests for its output.
import { client } from "./w3c.mjs";

let waiting = [], posting = false;

const tell = async (event) => {
	waiting.push(JSON.stringify(event) + "\n");
	if (posting) return;
	posting = true;
	while (waiting.length > 0) {
		const body = waiting.join("");
		waiting = [];
		await fetch("/output", { method: "POST", body });
	}
	posting = false;
};

const commands = client(WebSocket, tell);

const run = (line) => {
	const command = JSON.parse(line);
	try {
		commands[command.do](command);
	} catch (error) {
		tell({ event: "failed", id: command.id, error: String(error) });
	}
};

// listen runs one command after the other. The page has loaded meanwhile.
const listen = async () => {
	const reader = (await fetch("/input")).body.pipeThrough(new TextDecoderStream()).getReader();
	for (let rest = ""; ;) {
		const { done, value } = await reader.read();
		if (done) return;
		const lines = (rest + value).split("\n");
		rest = lines.pop();
		lines.forEach(run);
	}
};

tell({ event: "ready", version: navigator.userAgent.match(/Chrome\/(\d+)/)[1] });
listen();
