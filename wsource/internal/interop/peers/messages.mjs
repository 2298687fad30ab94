// Messages in commands and events, in Node.js and in a page alike.

const bytes = (text) => {
	const all = atob(text), data = new Uint8Array(all.length);
	for (let i = 0; i < data.length; i++) data[i] = all.charCodeAt(i);
	return data;
};

const base64 = (data) => {
	let all = "";
	for (let i = 0; i < data.length; i += 1 << 15) all += String.fromCharCode(...data.subarray(i, i + (1 << 15)));
	return btoa(all);
};

// repeat returns data so many times.
const repeat = (data, times) => {
	const all = new Uint8Array(data.length * times);
	for (let i = 0; i < times; i++) all.set(data, i * data.length);
	return all;
};

// content returns the data that a command wants sent.
export const content = ({ type, data, times }) => (type === "binary" ? repeat(bytes(data), times) : data.repeat(times));

const table = Uint32Array.from({ length: 256 }, (_, c) => {
	for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
	return c;
});

const crc32 = (data) => {
	let c = ~0;
	for (const b of data) c = table[(c ^ b) & 255] ^ (c >>> 8);
	return ~c >>> 0;
};

// received returns the event for a message that has arrived: a string, a Buffer or an
// ArrayBuffer.
export const received = (id, data) => {
	const type = typeof data === "string" ? "text" : "binary";
	const content = type === "text" ? new TextEncoder().encode(data) : new Uint8Array(data);
	const event = { event: "message", id, type };
	if (content.length > 1 << 16) return { ...event, size: content.length, crc32: crc32(content) };
	return { ...event, data: type === "text" ? data : base64(content) };
};
