// Runs the cases in Node.js against the server whose URL is the argument; a second
// argument is a part of the names of the cases to run.
import { WebSocket } from "ws";
import * as rxjs from "rxjs";
import { run } from "./cases.mjs";

await run({ url: process.argv[2], rxjs, print: line => console.log(line), options: { WebSocket }, only: process.argv[3] });
process.exit(); // also while timers or sockets still wait
