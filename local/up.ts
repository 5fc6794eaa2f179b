/** `npm run stack`: starts the servers, prints their addresses, and stops them on Ctrl-C. */
import { once } from "node:events";
import { asExports } from "./environment.ts";
import { startStack } from "./stack.ts";

const began = performance.now();
await using stack = await startStack();
process.stdout.write(`${asExports(stack)}\n`);
process.stderr.write(`running after ${((performance.now() - began) / 1000).toFixed(1)} s; stop with Ctrl-C\n`);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
