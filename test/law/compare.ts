import type { Admin } from "kafkajs";
import type { Schema } from "avsc";
import type { Client } from "pg";
import type { Service } from "../e2e/service.ts";
import type { Random } from "../kill/random.ts";
import type { Collector } from "../stack/collect.ts";
import type { Database } from "../stack/database.ts";
import type { Decoder } from "../stack/decode.ts";
import { findDifference, type LawEvent, lawEvent } from "./check.ts";
import type { Model } from "./model.ts";
import { findStale } from "./stale.ts";
import type { Story } from "./story.ts";
import { readRows, readVersions } from "./truth.ts";

/** The DDL trigger: installed, not installed, or now and then installed or removed while statements run. */
export type Trigger = "with" | "without" | "changing";

/** The table that a story is played with. */
export interface Table {
  readonly story: Story;
  readonly model: Model;
  readonly topic: string;
  readonly statements: string[];
  readonly releasedAt: Map<number, bigint>;
}

/** What a batch is played in. */
export interface World {
  readonly database: Database;
  readonly clients: readonly Client[];
  readonly tables: readonly Table[];
  readonly start: () => Promise<Service>;
  readonly admin: Admin;
  readonly collector: Collector;
  readonly decoder: Decoder;
  readonly random: Random;
  readonly trigger: Trigger;
  service: Service | undefined;
  /** What services that have ended had printed. */
  printed: string;
  /** The events so far, by topic, and how many of the records were decoded. */
  readonly events: Map<string, LawEvent[]>;
  readonly schemas: Map<number, Schema>;
  decoded: number;
}

const REFUSED = /^the registry (rejected|refused)/;

/** Holds each story's events against the truth: the differences, in the order of the tables. */
export async function compare(world: World): Promise<readonly (string | undefined)[]> {
  const { database, service } = world;
  const versions = await readVersions(database);
  await decodeNew(world);
  const now = {
    versions,
    shapes: (await service?.connector())?.tables ?? [],
    open: ((await service?.amendments()) ?? []).filter(({ gate }) => gate.kind === "withheld"),
    printed: `${world.printed}${service?.output() ?? ""}`,
  };
  const found: (string | undefined)[] = [];
  for (const table of world.tables) found.push(await compareTable(world, table, now));
  return found;
}

/** What the database and the service say of all tables. */
interface Now {
  readonly versions: Awaited<ReturnType<typeof readVersions>>;
  readonly shapes: Awaited<ReturnType<Service["connector"]>>["tables"];
  readonly open: Awaited<ReturnType<Service["amendments"]>>;
  readonly printed: string;
}

async function compareTable(
  { database, trigger, decoder, schemas, events: byTopic }: World,
  { model, topic, releasedAt, story }: Table,
  { versions, shapes, open, printed }: Now,
): Promise<string | undefined> {
  const shape = shapes.find((one) => one.topic === topic);
  const schemaId = shape?.schemaId ?? 0;
  schemas.set(schemaId, (await decoder.schema(schemaId)) as Schema); // a registered one
  const withheld = new Set(
    open.flatMap((one) => (one.topic === topic ? [model.base + Number(one.id.split("/")[1])] : [])),
  );
  const rows = await readRows(database, model.table);
  const truth = versions.get(model.table) ?? [];
  const events = byTopic.get(topic) ?? [];
  const parked = shape?.parked !== undefined && open.some((one) => one.topic === topic && REFUSED.test(one.gate.why));
  if (events.length === 0) return truth.length === 0 || parked ? undefined : "no events at all";
  const doubted = trigger !== "with" && printed.includes(`${topic}: columns of`);
  const passedOver = model.passedOver || new RegExp(`public\\.${model.table} flows again: \\d+ of `).test(printed);
  const told = {
    model,
    versions: truth,
    rows,
    releasedAt,
    policy: story.policy,
    schemaId,
    withheld,
    doubted,
    passedOver,
    parked,
  };
  return findDifference(told, events, schemas) ?? findStale(told, events);
}

async function decodeNew(world: World): Promise<void> {
  const { collector, decoder, events: byTopic, schemas } = world;
  const records = collector.records.slice(world.decoded);
  world.decoded += records.length;
  for (const record of records) {
    if (record.value === null) continue;
    const { schemaId, value } = await decoder.decodeWithId(record.value);
    schemas.set(schemaId, (await decoder.schema(schemaId)) as Schema); // what avsc has decoded with
    const events = byTopic.get(record.topic) ?? [];
    byTopic.set(record.topic, events);
    events.push(lawEvent(record, value, await decoder.decode(record.key)));
  }
}
