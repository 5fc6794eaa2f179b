import type { Client } from "pg";
import { installTrigger, readTriggerSecret } from "../../src/postgres/trigger.ts";
import { type Ddl, type DdlMessage, readDdl } from "../../src/table/ddl.ts";
import type { WalMessage } from "../../src/wal/message.ts";
import type { PostgresOptions } from "../../src/postgres/connection.ts";
import { until } from "../stack/until.ts";
import { type Followed, follow, type Source, source, valuesAt } from "./follow.ts";

/** A database with the trigger, followed from the time after its installation. */
export interface Triggered extends AsyncDisposable {
  readonly from: Source;
  readonly secret: string;
  /** Runs each statement as a query and returns what the log then contains. */
  run(...statements: readonly string[]): Promise<Heard>;
  /** Runs work that uses other sessions, and returns what the log then contains. */
  hear(work: () => Promise<unknown>): Promise<Heard>;
}

export interface Heard {
  /** In log order: R(columns), I(values), T, M(tables, or `untrusted`), and C between transactions. */
  readonly words: readonly string[];
  readonly ddl: readonly DdlMessage[];
  /** All messages with our prefix, as text. */
  readonly contents: readonly string[];
}

export async function triggered(setup: string, address?: PostgresOptions): Promise<Triggered> {
  await using stack = new AsyncDisposableStack();
  const from = stack.use(await source(setup, address && { ...address, password: address.password ?? "" }));
  await from.app.query("CREATE TABLE public.fieldgate_end (id int)");
  await installTrigger(from.client, from.database.address.user);
  const secret = await secretOf(from.client);
  const followed = stack.use(await follow(from));
  const open = stack.move();
  let marks = 0;
  const hear = async (work: () => Promise<unknown>): Promise<Heard> => {
    const before = (await marked(from.app, followed, `before ${++marks}`)).length;
    await work();
    const all = await marked(from.app, followed, `heard ${marks}`);
    return heardIn(all.slice(before), secret);
  };
  return {
    from,
    secret,
    hear,
    run: (...statements) =>
      hear(async () => {
        for (const statement of statements) await from.app.query(statement);
      }).catch(async (error: unknown) => {
        await from.app.query("ROLLBACK"); // so that the next case can use the session
        throw error;
      }),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

export async function secretOf(client: Client): Promise<string> {
  const found = await readTriggerSecret(client);
  if (found.kind !== "installed") throw new Error(`no secret: ${JSON.stringify(found)}`);
  return found.secret;
}

/** Writes a mark and returns everything that precedes it. */
async function marked(client: Client, followed: Followed, mark: string): Promise<readonly WalMessage[]> {
  await client.query("SELECT pg_catalog.pg_logical_emit_message(true, 'test', $1::text)", [mark]);
  return until(() => {
    const all = followed.messages();
    const at = all.findIndex(
      (one) => one.kind === "message" && one.prefix === "test" && one.content.toString() === mark,
    );
    return at < 0 ? undefined : all.slice(0, at);
  }, `the log has the mark ${mark}`);
}

function heardIn(messages: readonly WalMessage[], secret: string): Heard {
  const words: string[] = [];
  const ddl: DdlMessage[] = [];
  const contents: string[] = [];
  let xid = 0;
  for (const message of messages) {
    if (message.kind === "begin") xid = message.xid;
    if (message.kind === "commit" && words.length > 0 && words.at(-1) !== "C") words.push("C");
    if (message.kind === "relation") words.push(`R(${message.columns.map((column) => column.name).join(" ")})`);
    if (message.kind === "truncate") words.push("T");
    if ("newAt" in message && message.newAt >= 0) words.push(`I(${valuesAt(message.bytes, message.newAt).join(" ")})`);
    if (message.kind !== "message") continue;
    const read = readDdl(message, xid, secret);
    if (read === undefined) continue;
    ddl.push(read);
    contents.push(message.content.toString());
    words.push(`M(${read.kind === "trusted" ? inWords(read.ddl) : read.kind})`);
  }
  return { words: words.at(-1) === "C" ? words.slice(0, -1) : words, ddl, contents };
}

function inWords(ddl: Ddl): string {
  const tables = ddl.tables.map((one) => {
    if (one.change === "dropped") return `-${one.table.name}`;
    return `${one.table.name}: ${one.table.columns.map((column) => column.name).join(" ")}`;
  });
  const unlocked = ddl.undescribed.filter((oid) => ddl.unlocked.includes(oid)).length;
  const locked = ddl.undescribed.length - unlocked;
  const named = [...(locked === 0 ? [] : [`look ${locked}`]), ...(unlocked === 0 ? [] : [`unlocked ${unlocked}`])];
  return [...tables, ...named].join("; ");
}

/** The commands of the trusted messages. */
export function trusted(heard: Heard): readonly Ddl[] {
  return heard.ddl.map((one) => {
    if (one.kind !== "trusted") throw new Error(`untrusted: ${one.why}`);
    return one.ddl;
  });
}
