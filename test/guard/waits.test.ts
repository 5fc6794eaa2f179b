import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Outside, Source } from "../../src/guard/outside.ts";
import { createWaits } from "../../src/guard/waits.ts";
import { withWaits } from "../../src/guard/with-waits.ts";
import { tableOid } from "../../src/table/column.ts";
import { lsn } from "../../src/wal/lsn.ts";
import { worldOf } from "./session.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("the oldest wait is the one that began first and has not ended", () => {
  let now = 100;
  const waits = createWaits(() => now);
  const first = waits.begin("Kafka", "to commit");
  now = 200;
  using _second = waits.begin("PostgreSQL", "to write a mark");
  expect(waits.oldest()).toMatchObject({ on: "Kafka", what: "to commit", since: 100 });
  first[Symbol.dispose]();
  expect(waits.oldest()).toMatchObject({ on: "PostgreSQL", since: 200 });
});

const never = (): Promise<never> => new Promise(() => {});
const signal = new AbortController().signal;
const SETTINGS = { "database.query.timeout.ms": 20_000 };
type Call = (outside: Outside) => Promise<unknown>;
const ofSource =
  (call: (source: Source) => Promise<unknown>): Call =>
  async (outside) =>
    call(await outside.openSource());

/** Every call that may take long, with a world in which it never ends. */
const CALLS: readonly (readonly [what: string, given: Parameters<typeof worldOf>[0], call: Call])[] = [
  ["to check the server", { source: { check: never } }, ofSource((source) => source.check())],
  ["to list the captured tables", { source: { tables: never } }, ofSource((source) => source.tables([]))],
  ["to read types", { source: { types: never } }, ofSource((source) => source.types([]))],
  ["to read the DDL trigger's secret", { source: { ddlSecret: never } }, ofSource((source) => source.ddlSecret())],
  ["to read the columns of table 7", { source: { table: never } }, ofSource((source) => source.table(tableOid(7)))],
  ["to read slot fieldgate_shop", { source: { slot: never } }, ofSource((source) => source.slot())],
  [
    "to end the last reader of slot fieldgate_shop",
    { source: { terminateReader: never } },
    ofSource((source) => source.terminateReader()),
  ],
  [
    "to check the publication",
    { source: { ensurePublication: never } },
    ofSource((source) => source.ensurePublication([])),
  ],
  ["to look at the catalog", { source: { look: never } }, ofSource((source) => source.look())],
  [
    "to read slot fieldgate_shop",
    { source: { openStream: never } },
    ofSource((source) => source.openStream(lsn(1n), () => {}, 64 << 20)),
  ],
  ["to write a mark", { source: { mark: never } }, ofSource((source) => source.mark(""))],
  ["to write a mark", { source: { markTransaction: never } }, ofSource((source) => source.markTransaction())],
  ["to take a snapshot", { source: { snapshot: never } }, ofSource((source) => source.snapshot())],
  ["to open its sessions", { outside: { openSource: never } }, (outside) => outside.openSource()],
  ["to open the writer", { sink: { openWriter: never } }, ({ sink }) => sink.openWriter(() => 0)],
  [
    "to commit 0 records",
    { writer: { commit: never } },
    async ({ sink }) => (await sink.openWriter(() => 0)).commit([], signal),
  ],
  ["to read the state", { sink: { readState: never } }, ({ sink }) => sink.readState(undefined, signal)],
  ["to describe topics", { sink: { describeTopics: never } }, ({ sink }) => sink.describeTopics([])],
  ["to create the state topic", { sink: { createStateTopic: never } }, ({ sink }) => sink.createStateTopic()],
  [
    "to read the contracts",
    { controlTopics: { readContractsToEnd: never } },
    ({ controlTopics }) => controlTopics.readContractsToEnd(),
  ],
  [
    "to list its consumer groups",
    { groups: { listen: () => ({ [Symbol.dispose]: () => {} }), again: never } },
    ({ groups }) => groups.again(),
  ],
  ["to answer about s", { registry: { latest: never } }, ({ registry }) => registry.latest("s")],
  ["to answer about s", { registry: { check: never } }, ({ registry }) => registry.check("s", "")],
  ["to answer about s", { registry: { level: never } }, ({ registry }) => registry.level("s")],
  ["to register a schema of s", { registry: { register: never } }, ({ registry }) => registry.register("s", "")],
];

describe("a call that never ends", () => {
  it.each(CALLS)(
    "%s is a wait until its limit, and then an error after which the connector tries again",
    async (what, given, call) => {
      const { outside } = worldOf({ ...given, settings: SETTINGS });
      const ended = call(withWaits(outside)).catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(0);
      const wait = outside.waits.oldest();
      expect(wait).toMatchObject({ what, limitMs: expect.any(Number) });
      await vi.advanceTimersByTimeAsync(wait?.limitMs ?? 0);
      expect(await ended).toMatchObject({ fate: "retry", message: expect.stringContaining(what) });
      expect(outside.waits.oldest()).toBeUndefined();
    },
  );
});

it("without database.query.timeout.ms a statement is waited for as long as it takes", async () => {
  const { outside } = worldOf({ source: { check: never } });
  const source = await withWaits(outside).openSource();
  void source.check();
  expect(outside.waits.oldest()).toMatchObject({ what: "to check the server", limitMs: undefined });
});

it("creating the slot is held up by the transactions that the server waits for", async () => {
  const { outside } = worldOf({
    source: {
      createSlot: (onWait) => {
        onWait(["pid 7"]);
        return never();
      },
    },
  });
  const source = await withWaits(outside).openSource();
  const told: (readonly string[])[] = [];
  void source.createSlot((blockers) => told.push(blockers), signal);
  expect(told).toEqual([["pid 7"]]);
  expect(await outside.waits.oldest()?.causes?.()).toEqual(["pid 7"]);
});
