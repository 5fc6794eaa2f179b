/** `npm run stack`: starts the servers, prints where they are, and ends them on Ctrl-C. */
import { once } from "node:events";
import { asExports } from "./environment.ts";
import { startStack } from "./stack.ts";

const began = performance.now();
await using stack = await startStack();
process.stdout.write(`${asExports(stack)}\n`);
process.stderr.write(`up in ${((performance.now() - began) / 1000).toFixed(1)} s, until Ctrl-C\n`);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
