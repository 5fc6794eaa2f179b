import { isDeepStrictEqual } from "node:util";
import type { Schema, Type } from "avsc";
import { describe, expect, it } from "vitest";
import type { AmendmentView } from "../../src/api/amendment.ts";
import { avroType } from "../stack/decode.ts";
import { servers } from "../stack/servers.ts";
import type { Event, Row } from "./events.ts";
import { captureTable, latest, type World } from "./world.ts";

const MANUAL = { "fieldgate.release.policy": "manual" };
const TABLE = `create table t (id int primary key, a text, n int not null default 7, mood text);
  insert into t values (1, 'one', 10, 'ok'), (2, 'two', 20, 'ok')`;

interface Kind {
  readonly name: string;
  readonly setup?: string;
  readonly ddl: string;
  /** Inserts a row with id 3 after the DDL. */
  readonly row: string;
  /** That row's event while the amendment is withheld. */
  readonly meanwhile: Readonly<Record<string, unknown>>;
  /** The amendment's field as it is named while withheld. */
  readonly field: string;
  readonly amendment: Partial<AmendmentView>;
  readonly release?: Readonly<Record<string, unknown>>;
  /** The subject's level, if BACKWARD would reject the release. */
  readonly level?: string;
}

const KINDS: readonly Kind[] = [
  {
    name: "added",
    ddl: "alter table t add column zip text",
    row: "insert into t values (3, 'three', 30, 'ok', '12345')",
    meanwhile: { id: 3, a: "three", n: 30, mood: "ok" },
    field: "zip",
    amendment: { kind: "added" },
  },
  {
    name: "dropped",
    ddl: "alter table t drop column a",
    row: "insert into t values (3, 30, 'ok')",
    meanwhile: { id: 3, a: null, n: 30, mood: "ok" },
    field: "a",
    amendment: { kind: "dropped", column: null },
  },
  {
    name: "renamed",
    ddl: "alter table t rename column a to alias",
    row: "insert into t values (3, 'three', 30, 'ok')",
    meanwhile: { id: 3, a: "three", n: 30, mood: "ok" },
    field: "a",
    amendment: { kind: "changed", changes: ["renamed"] },
  },
  {
    name: "retyped",
    ddl: "alter table t alter column n type bigint",
    row: "insert into t values (3, 'three', 30, 'ok')",
    meanwhile: { id: 3, a: "three", n: 30, mood: "ok" },
    field: "n",
    amendment: { kind: "changed", changes: ["retyped"] },
  },
  {
    name: "retyped with other values",
    ddl: "alter table t alter column n type bigint using n * 10",
    row: "insert into t values (3, 'three', 30, 'ok')",
    meanwhile: { id: 3, a: "three", n: 30, mood: "ok" },
    field: "n",
    amendment: { kind: "changed", changes: ["retyped"] },
  },
  {
    name: "not null lost",
    ddl: "alter table t alter column n drop not null",
    row: "insert into t values (3, 'three', 30, 'ok')",
    meanwhile: { id: 3, a: "three", n: 30, mood: "ok" },
    field: "n",
    amendment: { kind: "changed", changes: ["not-null-lost"] },
  },
  {
    name: "not null set",
    ddl: "alter table t alter column mood set not null",
    row: "insert into t values (3, 'three', 30, 'ok')",
    meanwhile: { id: 3, a: "three", n: 30, mood: "ok" },
    field: "mood",
    amendment: { kind: "changed", changes: ["not-null-set"] },
    level: "FORWARD",
  },
  {
    name: "default",
    ddl: "alter table t alter column n set default 8",
    row: "insert into t (id, a, mood) values (3, 'three', 'ok')",
    meanwhile: { id: 3, a: "three", n: 8, mood: "ok" },
    field: "n",
    amendment: { kind: "changed", changes: ["default"] },
  },
  {
    name: "key",
    setup: `create table t (id int, a text, n int not null, mood text, primary key (id));
      insert into t values (1, 'one', 10, 'ok'), (2, 'two', 20, 'ok')`,
    ddl: "alter table t drop constraint t_pkey, add primary key (id, n)",
    row: "insert into t values (3, 'three', 30, 'ok')",
    meanwhile: {},
    field: "key",
    amendment: { kind: "key" },
    release: { reason: "agreed" },
    level: "FORWARD",
  },
];

const LATE: Readonly<Record<string, string>> = {
  added: "insert into t values (4, 'four', 40, 'late', '9')",
  dropped: "insert into t values (4, 40, 'late')",
};

async function rowsOf(world: World): Promise<readonly Row[]> {
  return world.database.query<Row>("select * from t order by id");
}

/** The rows of a consumer that keeps the last event of each key; a field missing from an event is null. */
function rebuildRows(events: readonly Event[], columns: readonly string[]): readonly unknown[] {
  const rows = latest(events.map(({ after }) => after));
  const plain = rows.map((row) => Object.fromEntries(columns.map((name) => [name, valueOf(row[name])])));
  return plain.toSorted((left, right) => Number(left["id"]) - Number(right["id"]));
}

/** PostgreSQL's client returns bigint as text. */
function valueOf(value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : (value ?? null);
}

async function setLevel(subject: string, level: string): Promise<void> {
  const response = await fetch(`${servers.registry.url}/config/${subject}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ compatibility: level }),
  });
  if (!response.ok) throw new Error(`${subject}: ${response.status} ${await response.text()}`);
}

/** The schema of the topic's first event, which a consumer may have compiled in. */
async function firstSchema(topic: string): Promise<Type> {
  const response = await fetch(`${servers.registry.url}/subjects/${topic}-value/versions/1`);
  const { schema } = (await response.json()) as { schema: string }; // the registry's answer
  return typeOf(schema);
}

function typeOf(schema: string): Type {
  return avroType(JSON.parse(schema) as Schema); // the registry's text is an Avro schema
}

describe.each(KINDS)("a column or key $name", (kind) => {
  it("is withheld, survives two kills without loss, and is released by a command", async () => {
    await using world = await captureTable({ connector: MANUAL, setup: kind.setup ?? TABLE });
    const { database, events, topic } = world;
    const reader = await firstSchema(topic);
    await database.query(kind.ddl);
    await database.query(kind.row);
    const flows = Object.keys(kind.meanwhile).length > 0;
    if (flows) {
      const isIt = ({ after }: Event) => after?.["id"] === 3;
      const seen = await events.until((all) => all.some(isIt), "the row written while it is withheld");
      expect(seen.find(isIt)?.after).toEqual(kind.meanwhile);
    }
    const amendment = await world.service.amendment(kind.field, "withheld");
    expect(amendment).toMatchObject(kind.amendment);
    expect(amendment.next).toContain(`fieldgate release ${amendment.id}`);
    world.service.kill("SIGKILL");
    await world.service.exited;
    const service = await world.start();
    expect(await service.amendment(kind.field, "withheld")).toMatchObject({ id: amendment.id });
    if (kind.level !== undefined) {
      await setLevel(`${topic}-value`, kind.level);
      await setLevel(`${topic}-key`, kind.level);
    }
    const outcome = await service.command({ kind: "release", ids: [amendment.id], ...kind.release });
    expect(outcome).toMatchObject({ kind: "done" });
    service.kill("SIGKILL");
    await service.exited;
    await database.query(LATE[kind.name] ?? "insert into t values (4, 'four', 40, 'late')");
    const again = await world.start();
    await again.idle();
    const rows = await rowsOf(world);
    const rebuilt = (seen: readonly Event[]) => rebuildRows(seen, Object.keys(rows[0] ?? {}));
    const all = await events.until((now) => isDeepStrictEqual(rebuilt(now), rows), "consumers have the table");
    expect(rebuilt(all)).toEqual(rows);
    expect((await again.amendments()).filter(({ gate }) => gate.kind === "withheld")).toEqual([]);
    const ready = !kind.name.startsWith("retyped") && kind.name !== "not null lost";
    if (ready) await expectDecodes(world, reader);
  });
});

/** Every event so far decodes with the first schema. */
async function expectDecodes(world: World, reader: Type): Promise<void> {
  for (const { value } of world.events.collector.records) {
    if (value === null) continue;
    const response = await fetch(`${servers.registry.url}/schemas/ids/${value.readInt32BE(1)}`);
    const { schema } = (await response.json()) as { schema: string }; // the registry's answer
    const resolver = reader.createResolver(typeOf(schema));
    reader.fromBuffer(value.subarray(5), resolver);
  }
}
