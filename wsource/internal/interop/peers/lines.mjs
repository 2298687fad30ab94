// The part that the peers in Node.js share: a command comes in a line of JSON on standard
// input, an event goes out in one on standard output. doc.go describes both.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

let waiting = "";

const flush = () => {
	process.stdout.write(waiting);
	waiting = "";
};

// tell tells of an event, together with others of the same moment.
export const tell = (event) => {
	if (waiting === "") setImmediate(flush);
	waiting += JSON.stringify(event) + "\n";
};

export const version = (name) => createRequire(import.meta.url)(`./node_modules/${name}/package.json`).version;

// serve tells the version of the package, and calls the function that a command names
// until the input ends.
export const serve = async (name, commands) => {
	tell({ event: "ready", version: version(name) });
	for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
		const command = JSON.parse(line);
		try {
			commands[command.do](command);
		} catch (error) {
			tell({ event: "failed", id: command.id, error: String(error.stack) });
		}
	}
	process.exit(0);
};
