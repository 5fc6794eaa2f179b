/**
 * The naive reader: receives a slot's log as fast as pg's own connection takes it, and throws it away, as
 * `pg_recvlogical -f /dev/null` does. Prints `rows N`; ends once it has acknowledged all of them.
 * Arguments: connection string, slot, number of rows.
 */
import pg, { type Connection } from "pg";

const CODE = { data: 0x77, commit: 0x43, insert: 0x49, update: 0x55 };

const [connectionString = "", slot = "", wanted = "0"] = process.argv.slice(2);
const rows = Number(wanted);
// @types/pg lacks `replication`, `connection` and its method.
const client = new pg.Client({ connectionString, replication: "database" } as pg.ClientConfig) as pg.Client & {
  readonly connection: Connection & { sendCopyFromChunk(bytes: Buffer): void };
};
await client.connect();
let seen = 0;
let end = 0n;
const timer = setInterval(() => console.log(`rows ${seen}`), 20);
client.connection.on("copyData", ({ chunk }: { readonly chunk: Buffer }) => {
  if (chunk[0] !== CODE.data) return;
  const kind = chunk[25];
  if (kind === CODE.commit) end = chunk.readBigUInt64BE(35);
  if (kind !== CODE.insert && kind !== CODE.update) return;
  seen += 1;
  if (seen === rows) console.log(`rows ${seen}`);
  if (seen === rows) setTimeout(finish, 200);
});
client.on("error", () => {});
await client.query(`START_REPLICATION SLOT ${slot} LOGICAL 0/0 (proto_version '1', publication_names 'bench')`);

function finish(): void {
  clearInterval(timer);
  const status = Buffer.alloc(34);
  status[0] = 0x72;
  for (const at of [1, 9, 17]) status.writeBigUInt64BE(end, at);
  client.connection.sendCopyFromChunk(status);
  setTimeout(() => process.exit(0), 200);
}
