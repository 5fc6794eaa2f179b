/** `npm run stack [-- --brokers 3]`: starts the servers, prints their addresses, and stops them on Ctrl-C. */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { asExports } from "./environment.ts";
import { startStack } from "./stack.ts";

const { brokers } = parseArgs({ options: { brokers: { type: "string", default: "1" } } }).values;
if (brokers !== "1" && brokers !== "3") throw new Error(`--brokers must be 1 or 3, not ${brokers}`);
const began = performance.now();
await using stack = await startStack({ brokers: brokers === "3" ? 3 : 1 });
process.stdout.write(`${asExports(stack)}\n`);
process.stderr.write(`running after ${((performance.now() - began) / 1000).toFixed(1)} s; stop with Ctrl-C\n`);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
