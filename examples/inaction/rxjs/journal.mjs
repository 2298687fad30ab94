// The functions that server and clients share. Compare ../main.go.

// tell prints an event of a connection: the connection's name, the event, and details.
export function tell(who, what, about = "") {
	console.log(`${who.padEnd(10)}${what.padEnd(9)}${about}`.trim());
}

// follow tells that a connection is open, and how it ends.
export function follow(who, connection) {
	tell(who, "open");
	connection.on("close", (code, reason) => {
		if (code === 1000) tell(who, "close", code);
		else tell(who, "error", `${code} ${reason}`);
	});
}

// decode reads a note from a message event.
export function decode({ data }) {
	const note = JSON.parse(data);
	if (typeof data !== "string" || typeof note?.msg !== "string") throw new Error("not a note");
	return note;
}
