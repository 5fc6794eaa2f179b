import type { Client } from "pg";
import { checkSource } from "../../src/postgres/check.ts";
import { connect, type PostgresOptions } from "../../src/postgres/connection.ts";
import { createSlot, readSlot } from "../../src/postgres/slot.ts";
import { openStream, type StreamOptions, type WalStream } from "../../src/postgres/stream.ts";
import { decode } from "../../src/wal/decode.ts";
import type { Lsn } from "../../src/wal/lsn.ts";
import type { WalItem, WalMessage } from "../../src/wal/message.ts";
import { readTuple, TEXT_VALUE, tupleSlots } from "../../src/wal/tuple.ts";
import { type Database, freshDatabase } from "../stack/database.ts";
import { until } from "../stack/until.ts";

export type OwnSession = Client & AsyncDisposable;

/** A session of the code under test, which ends with the scope. */
export async function session(options: PostgresOptions, applicationName = "test"): Promise<OwnSession> {
  const client = await connect(options, { applicationName });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

export interface Source extends AsyncDisposable {
  readonly database: Database;
  /** The session of the code under test. */
  readonly client: OwnSession;
  /** The application's session: its search path is public. */
  readonly app: OwnSession;
  readonly slot: string;
  readonly publication: string;
  /** The position at which the slot starts. */
  readonly start: Lsn;
}

/** A database with the tables of `ddl`, all of them published, and a slot created after them. */
export async function source(ddl: string, address?: Parameters<typeof freshDatabase>[0]): Promise<Source> {
  const database = await freshDatabase(address);
  const client = await session(database.address);
  const app = await session(database.address, "application");
  await app.query("SET search_path = public");
  await app.query(ddl);
  await app.query("CREATE PUBLICATION everything FOR ALL TABLES");
  await using observer = await session(database.address);
  const slot = `slot_${database.address.database}`;
  const start = await createSlot(client, slot, { observer, onWait: () => {} });
  return {
    database,
    client,
    app,
    slot,
    publication: "everything",
    start,
    async [Symbol.asyncDispose]() {
      await client.end();
      await app.end();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Skips the test if the server is older than this version, such as 150_000. */
export async function needs(
  { client }: Pick<Source, "client">,
  version: number,
  skip: (isTooOld: boolean, note: string) => void,
): Promise<void> {
  skip((await checkSource(client)).version < version, `PostgreSQL ${version / 10_000} or later has this`);
}

export interface Followed extends AsyncDisposable {
  readonly stream: WalStream;
  readonly wakes: () => number;
  /** All items so far; each call first reads what is queued. */
  items(): readonly WalItem[];
  messages(): readonly WalMessage[];
}

export async function follow(from: Source, options: Partial<StreamOptions> = {}): Promise<Followed> {
  let wakes = 0;
  const open = () =>
    openStream({
      connection: from.database.address,
      slot: from.slot,
      publication: from.publication,
      start: from.start,
      wake: () => wakes++,
      ...options,
    });
  const stream = await open().catch(async (error: unknown) => {
    // A reader that has just ended still holds the slot for a moment.
    if (!String(error).includes("has just ended")) throw error;
    await until(async () => (await readSlot(from.client, from.slot))?.active === false, "the slot is free");
    return open();
  });
  const items: WalItem[] = [];
  function drain(): readonly WalItem[] {
    for (let item = stream.read(); item !== undefined; item = stream.read()) items.push(item);
    return items;
  }
  return {
    stream,
    wakes: () => wakes,
    items: drain,
    messages: () => drain().flatMap((item) => (item.kind === "data" ? [decode(item.bytes)] : [])),
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  };
}

/** Waits until the stream has delivered `count` commits, and returns all messages. */
export function commits(followed: Followed, count: number): Promise<readonly WalMessage[]> {
  return until(() => {
    const messages = followed.messages();
    const seen = messages.filter((message) => message.kind === "commit").length;
    return seen >= count ? messages : undefined;
  }, `${count} transactions have arrived`);
}

/** The values of the new rows, as text; values that are null or were not sent are null. */
export function newRows(messages: readonly WalMessage[]): readonly (readonly (string | null)[])[] {
  return messages.flatMap((message) =>
    "newAt" in message && message.newAt >= 0 ? [valuesAt(message.bytes, message.newAt)] : [],
  );
}

export function valuesAt(bytes: Buffer, at: number): readonly (string | null)[] {
  const slots = tupleSlots();
  readTuple(bytes, at, slots);
  return Array.from({ length: slots.count }, (_, i) =>
    slots.kind[i] === TEXT_VALUE ? bytes.toString("utf8", slots.start[i], slots.end[i]) : null,
  );
}

/** Returns what the work throws, so that a test can check its code. */
export async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}
