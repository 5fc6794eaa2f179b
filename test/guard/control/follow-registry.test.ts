import { describe, expect, it } from "vitest";
import { GuardError } from "../../../src/errors.ts";
import { envelopeSchema, keySchema } from "../../../src/event/envelope/schema.ts";
import type { Rules, TableState } from "../../../src/gate/state.ts";
import { withheldOf } from "../../../src/gate/update.ts";
import { followRegistry } from "../../../src/guard/control/follow-registry.ts";
import { type Registered } from "../../../src/registry/client.ts";
import { schemaId } from "../../../src/table/shape.ts";
import {
  column,
  fieldFor,
  fits,
  ID,
  idOf,
  NAME,
  NICK,
  play,
  publishing,
  RULES,
  seen,
  stateOf,
  tableIn,
  tableOf,
  TOPIC,
} from "../../gate/customers.ts";
import { sessionIn, worldOf } from "../session.ts";

const WATCH: Rules = { ...RULES, mode: "watch" };
const HOUR = 3_600_000;
const SAME = publishing();
const WAITS = tableIn(play(WATCH, stateOf(), seen([ID, NAME, NICK])).state);
const first: Registered = { ...publishing().shape.valueSchema, version: 1 };

/** What the registry answers; undefined if it does not know the subject. */
type Latest = (subject: string, at: number) => Registered | undefined;

interface Run {
  /** When each subject was read, in milliseconds. */
  readonly asked: readonly (readonly [at: number, subject: string])[];
  /** The schemas that the catalog was read for. */
  readonly found: readonly unknown[];
  readonly lines: readonly string[];
}

/** The subjects read up to that time, in milliseconds, by a clock that only `sleep` moves. */
async function following(
  table: TableState,
  latest: Latest,
  untilMs = HOUR,
  news?: (at: number) => TableState,
  older: readonly Registered[] = [],
): Promise<Run> {
  const asked: [number, string][] = [];
  const over = new AbortController();
  const at = () => Number(world.clock.micros / 1000n);
  const world = worldOf({
    mode: "watch",
    registry: {
      async latest(subject) {
        asked.push([at(), subject.slice(TOPIC.length + 1)]);
        return latest(subject, at());
      },
      versions: async () => older.map(({ version }) => version),
      version: async (_, version) => older.find((one) => one.version === version),
    },
    source: { table: () => new Promise(() => undefined) },
    outside: {
      async sleep(ms) {
        world.clock.micros += BigInt(ms) * 1000n;
        if (at() > untilMs) over.abort();
        over.signal.throwIfAborted();
        if (news !== undefined) session.control.state = stateOf(news(at()));
      },
    },
  });
  const session = sessionIn(world, stateOf(table), over);
  followRegistry(session);
  await new Promise((resolve) => over.signal.addEventListener("abort", resolve));
  const found = [...session.control.catalog.pending.values()].map(({ schemas }) => schemas);
  return { asked, lines: world.log, found };
}

const times = ({ asked }: Run) => asked.map(([at]) => at);

describe("the schema that Debezium registers", () => {
  it("is read soon while a change is expected, then less often, but at least every 30 seconds", async () => {
    const run = await following(WAITS, () => first, 200_000);
    expect(times(run).slice(0, 6)).toEqual([0, 1000, 3000, 7000, 15_000, 31_000]);
    const pauses = times(run).map((at, index) => at - (times(run)[index - 1] ?? 0));
    expect(Math.max(...pauses)).toBe(30_000);
    expect(run.found).toEqual([]);
  });

  it("is read every five minutes while its table does not change", async () => {
    const run = await following(publishing(), () => first);
    expect(times(run).length).toBeLessThan(22);
    expect(run.asked.every(([, subject]) => subject === "value")).toBe(true);
  });

  it("is read at once after the table has changed", async () => {
    const run = await following(
      SAME,
      () => first,
      700_500,
      (at) => (at < 700_000 ? SAME : WAITS),
    );
    expect(times(run).at(-1)).toBe(700_000);
  });

  const value: Registered = {
    id: schemaId(7),
    version: 2,
    text: JSON.stringify(envelopeSchema(TOPIC, [ID, NAME, NICK].map(fieldFor))),
  };
  const key: Registered = { id: schemaId(8), version: 1, text: JSON.stringify(keySchema(TOPIC, [fieldFor(ID)])) };

  it("is applied with the table and the key once its version is new", async () => {
    const { found } = await following(WAITS, (subject, at) =>
      subject.endsWith("key") ? key : at < 5000 ? first : value,
    );
    expect(found).toEqual([{ value: { id: 7, text: value.text }, key: { id: 8, text: key.text } }]);
  });

  it("may have any version if nothing was published yet", async () => {
    const unpublished = { ...publishing(), unpublished: true };
    const absent = await following(unpublished, () => undefined, 10_000);
    expect(absent.found).toEqual([]);
    expect((await following(unpublished, () => first, 10_000)).found).toHaveLength(1);
  });

  it("may be unchanged: rows have a column that replaced another one", async () => {
    const again = column(5, "name", "text");
    const state = play(WATCH, stateOf(), seen([ID, again]), (now) => fits(now, idOf(again))).state;
    expect((await following(tableIn(state), () => first, 10_000)).found).toEqual([]);
    const passed = play(RULES, state, { kind: "passed", topic: TOPIC, doubt: false }).state;
    expect((await following(tableIn(passed), () => first, 10_000)).found).toHaveLength(1);
  });

  it("may be an older version: a change was undone", async () => {
    const second: Registered = { ...value, id: schemaId(7) };
    const observed = {
      kind: "observed",
      topic: TOPIC,
      value: second,
      key: undefined,
      table: tableOf([ID, NAME, NICK]),
    } as const;
    const undone = play(WATCH, stateOf(), seen([ID, NAME, NICK]), observed, seen([ID, NAME])).state;
    const all = [first, second];
    expect((await following(tableIn(undone), () => second, 10_000, undefined, all)).found).toEqual([]);
    const passed = play(WATCH, undone, { kind: "passed", topic: TOPIC, doubt: false }).state;
    const again = await following(tableIn(passed), () => second, 10_000, undefined, all);
    expect(again.found).toEqual([{ value: { id: 1, text: first.text }, key: undefined }]);
    // After that the newest version is not new.
    const old = { ...observed, value: first, table: tableOf([ID, NAME]) };
    const followed = tableIn(play(WATCH, passed, old).state);
    expect(followed).toMatchObject({ shape: { valueSchema: { id: 1 } } });
    expect(withheldOf(followed)).toEqual([]);
    expect((await following(followed, () => second, 10_000, undefined, all)).found).toEqual([]);
  });

  it("may be unchanged: rows no longer have a key", async () => {
    const gone = play(WATCH, stateOf(), seen([ID, NAME], { keyed: false })).state;
    const same: Latest = (subject) => (subject.endsWith("key") ? { ...key, id: schemaId(2) } : first);
    expect((await following(tableIn(gone), same, 10_000)).found).toEqual([]);
    const passed = play(RULES, gone, { kind: "passed", topic: TOPIC, doubt: false }).state;
    expect((await following(tableIn(passed), same, 10_000)).found).toHaveLength(1);
  });

  it("may be new for the key alone", async () => {
    const table = tableIn(play(WATCH, stateOf(), seen([ID, NAME], { key: [1, 2] })).state);
    const run = await following(table, (subject) => (subject.endsWith("key") ? key : first), 10_000);
    expect(run.found).toEqual([expect.objectContaining({ key: { id: 8, text: key.text } })]);
  });

  it("is reported once if it is not an envelope", async () => {
    const strange = { ...first, id: schemaId(9), text: "syntax = proto3" };
    const { lines, found } = await following(publishing(), () => strange);
    expect(lines).toEqual([`subject ${TOPIC}-value is not a Debezium envelope: the table is not judged`]);
    expect(found).toEqual([]);
  });

  it("is read again if the registry does not answer, which is logged once, as is its first answer after that", async () => {
    const { lines, found } = await following(WAITS, (_, at) => {
      if (at < 60_000) throw new GuardError("registry-down", "no answer");
      return value;
    });
    expect(lines).toEqual([
      "the schemas that Debezium registers cannot be read: [registry-down] no answer",
      "the registry answers again: Fieldgate follows the schemas that Debezium registers",
    ]);
    expect(found).toHaveLength(1);
  });
});
