// Publishes values to all sockets: bun broadcast.mjs. It prints its port. A line of its
// input is "opened N", which is answered when N sockets are open, or "publish N SIZE",
// which is answered when N values are on their way.
import { createInterface } from 'node:readline';

const atOnce = 16; // then the sockets get time to be written to
let open = 0;
let waiting = () => {};

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response('no WebSocket', { status: 400 })),
  websocket: {
    backpressureLimit: 1 << 30,
    idleTimeout: 0,
    perMessageDeflate: false,
    open(socket) {
      socket.subscribe('all');
      open++;
      waiting();
    },
    message() {},
  },
});

async function opened(n) {
  while (open < n) await new Promise((resolve) => { waiting = resolve; });
}

async function publish(n, size) {
  for (let i = 0; i < n; i++) {
    const value = Buffer.alloc(size);
    value.writeBigUInt64BE(BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6)), size - 8);
    if (server.publish('all', value) === 0) throw new Error('a value was dropped');
    if (i % atOnce === atOnce - 1) await new Promise(setImmediate);
  }
}

console.log(server.port);
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...numbers] = line.split(' ');
  await { opened, publish }[command](...numbers.map(Number));
  console.log('done');
}
server.stop(true);
process.exit();
