import type { Client } from "pg";
import { decode } from "../../src/wal/decode.ts";
import type { Lsn } from "../../src/wal/lsn.ts";
import type { Relation, RowChange } from "../../src/wal/message.ts";
import { NULL_VALUE, readTuple, tupleSlots, UNCHANGED_VALUE } from "../../src/wal/tuple.ts";
import type { Entry } from "./sequence.ts";
import { TABLES } from "./tables.ts";

/** The changes according to the test's own slot, with which the events are compared. */
export interface Truth {
  /** Reads everything committed so far. Transactions committed before `start` do not concern the connector. */
  read(start: Lsn, onEntry: (table: string, key: string, entry: Entry) => void): Promise<void>;
}

export async function openTruth(client: Client, name: string): Promise<Truth> {
  const tables = TABLES.map((table) => table.name).join(", ");
  await client.query(`create publication ${name} for table ${tables}`);
  await client.query("select pg_create_logical_replication_slot($1, 'pgoutput')", [name]);
  return {
    async read(start, onEntry) {
      const { rows } = await client.query<{ data: Buffer }>(
        `select data from pg_logical_slot_get_binary_changes($1, null, null, 'proto_version', '1', 'publication_names', $2)`,
        [name, name],
      );
      const relations = new Map<number, Relation>();
      let xid: number | undefined;
      for (const { data } of rows) {
        const message = decode(data);
        if (message.kind === "begin") xid = message.finalLsn < start ? undefined : message.xid;
        else if (message.kind === "relation") relations.set(message.oid, message);
        else if (message.kind === "insert" || message.kind === "update" || message.kind === "delete") {
          const relation = relations.get(message.relation);
          if (xid !== undefined && relation !== undefined) entries(relation, message, xid, onEntry);
        }
      }
    },
  };
}

function entries(
  relation: Relation,
  row: RowChange,
  xid: number,
  onEntry: (table: string, key: string, entry: Entry) => void,
): void {
  const table = relation.name;
  const old = row.oldAt < 0 ? undefined : values(relation, row.bytes, row.oldAt);
  const now = row.newAt < 0 ? undefined : values(relation, row.bytes, row.newAt);
  const before = old && keyOf(table, old);
  if (now === undefined) {
    if (before !== undefined) onEntry(table, before, { op: "d", n: undefined, xid });
    return;
  }
  const after = keyOf(table, now);
  const n = now.get("n") ?? undefined;
  if (row.kind === "insert") onEntry(table, after, { op: "c", n, xid });
  else if (before === undefined || before === after) onEntry(table, after, { op: "u", n, xid });
  else {
    onEntry(table, before, { op: "d", n: undefined, xid });
    onEntry(table, after, { op: "c", n, xid });
  }
}

const SLOTS = tupleSlots();

function values(relation: Relation, bytes: Buffer, at: number): ReadonlyMap<string, string | null> {
  readTuple(bytes, at, SLOTS);
  return new Map(
    relation.columns.map(({ name }, index) => {
      const kind = SLOTS.kind[index];
      const empty = kind === NULL_VALUE || kind === UNCHANGED_VALUE;
      return [name, empty ? null : bytes.toString("utf8", SLOTS.start[index], SLOTS.end[index])];
    }),
  );
}

function keyOf(table: string, row: ReadonlyMap<string, string | null>): string {
  const key = TABLES.find(({ name }) => name === table)?.key ?? [];
  return key.map((name) => row.get(name)).join("|");
}
