/** Started by the ends-with-parent tests. Starts the parts in its arguments, prints their processes and waits for ever. */
import { Client } from "pg";
import { alive, descendants } from "../../local/processes.ts";
import { startStack } from "../../local/stack.ts";

const wanted = new Set(process.argv.slice(2));
const stack = await startStack({ kafka: wanted.has("kafka"), registry: wanted.has("registry") });
const client = new Client(stack.postgres);
await client.connect();
const { rows } = await client.query<{ data_directory: string }>("show data_directory");
await client.end();
// Without the `ps` that listed them, which has ended.
const pids = descendants(process.pid).filter(alive);
process.stdout.write(`${JSON.stringify({ pids, servers: stack.pids, data: rows[0]?.data_directory })}\n`);
setInterval(() => {}, 1_000_000);
