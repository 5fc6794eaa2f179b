import { describe, expect, it } from "vitest";
import { GuardError } from "../../../src/errors.ts";
import { envelopeSchema, keySchema } from "../../../src/event/envelope/schema.ts";
import type { Rules, TableState } from "../../../src/gate/state.ts";
import { withheldOf } from "../../../src/gate/update.ts";
import { observeBeside } from "../../../src/guard/control/follow-registry.ts";
import type { Session } from "../../../src/guard/session.ts";
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

const WATCH: Rules = { ...RULES, mode: "watch" };
const HOUR = 3_600_000;
const SAME = publishing();
const WAITS = tableIn(play(WATCH, stateOf(), seen([ID, NAME, NICK])).state);
const first: Registered = { ...publishing().shape.valueSchema, version: 1 };

/** What the registry says of a subject; undefined: it does not know it. */
type Latest = (subject: string, at: number) => Registered | undefined;

interface Run {
  /** When each subject was asked for, in ms. */
  readonly asked: readonly (readonly [at: number, subject: string])[];
  /** What was looked at in the catalog because of it. */
  readonly found: readonly unknown[];
  readonly lines: readonly string[];
}

/** An hour of it, or as long as told, with a clock that only sleep moves. */
async function observing(
  table: TableState,
  latest: Latest,
  until = HOUR,
  news?: (at: number) => TableState,
  older: readonly Registered[] = [],
): Promise<Run> {
  let now = 0;
  const asked: [number, string][] = [];
  const lines: string[] = [];
  const over = new AbortController();
  const lookups = new Map<string, { readonly registered: unknown }>();
  const say = (line: string): void => void lines.push(line);
  const session = {
    outside: {
      now: () => BigInt(now) * 1000n,
      uuid: () => String(lookups.size),
      log: { info: say, warn: say },
      settings: WATCH,
      registry: {
        latest: async (subject: string) => {
          asked.push([now, subject.slice(TOPIC.length + 1)]);
          return latest(subject, now);
        },
        versions: async () => older.map(({ version }) => version),
        version: async (_: string, version: number) => older.find((one) => one.version === version),
      },
      sleep: async (ms: number) => {
        now += ms;
        if (now > until) over.abort();
        over.signal.throwIfAborted();
        if (news !== undefined) session.state = stateOf(news(now));
      },
    },
    signal: over.signal,
    source: { table: () => new Promise(() => undefined) },
    state: stateOf(table),
    lookups,
  };
  observeBeside(session as unknown as Session); // what it needs of one
  await new Promise((resolve) => over.signal.addEventListener("abort", resolve));
  return { asked, lines, found: [...lookups.values()].map(({ registered }) => registered) };
}

const times = ({ asked }: Run) => asked.map(([at]) => at);

describe("what Debezium registers", () => {
  it("is asked for soon while something waits, then ever less often, at least every half minute", async () => {
    const run = await observing(WAITS, () => first, 200_000);
    expect(times(run).slice(0, 6)).toEqual([0, 1000, 3000, 7000, 15_000, 31_000]);
    const pauses = times(run).map((at, index) => at - (times(run)[index - 1] ?? 0));
    expect(Math.max(...pauses)).toBe(30_000);
    expect(run.found).toEqual([]);
  });

  it("is asked for every five minutes at a table that rests", async () => {
    const run = await observing(publishing(), () => first);
    expect(times(run).length).toBeLessThan(22);
    expect(run.asked.every(([, subject]) => subject === "value")).toBe(true);
  });

  it("is asked for at once when the table has changed", async () => {
    const run = await observing(
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

  it("is looked at with the table and the key once it is another version", async () => {
    const { found } = await observing(WAITS, (subject, at) =>
      subject.endsWith("key") ? key : at < 5000 ? first : value,
    );
    expect(found).toEqual([{ value: { id: 7, text: value.text }, key: { id: 8, text: key.text } }]);
  });

  it("is any version where nothing was published yet", async () => {
    const unpublished = { ...publishing(), unpublished: true };
    const absent = await observing(unpublished, () => undefined, 10_000);
    expect(absent.found).toEqual([]);
    expect((await observing(unpublished, () => first, 10_000)).found).toHaveLength(1);
  });

  it("may be what it was: rows have a column that took the place of another", async () => {
    const again = column(5, "name", "text");
    const state = play(WATCH, stateOf(), seen([ID, again]), (now) => fits(now, idOf(again))).state;
    expect((await observing(tableIn(state), () => first, 10_000)).found).toEqual([]);
    const passed = play(RULES, state, { kind: "passed", topic: TOPIC, doubt: false }).state;
    expect((await observing(tableIn(passed), () => first, 10_000)).found).toHaveLength(1);
  });

  it("may be an older version again: a change was undone", async () => {
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
    expect((await observing(tableIn(undone), () => second, 10_000, undefined, all)).found).toEqual([]);
    const passed = play(WATCH, undone, { kind: "passed", topic: TOPIC, doubt: false }).state;
    const again = await observing(tableIn(passed), () => second, 10_000, undefined, all);
    expect(again.found).toEqual([{ value: { id: 1, text: first.text }, key: undefined }]);
    // And from then on the newest version is no news.
    const old = { ...observed, value: first, table: tableOf([ID, NAME]) };
    const followed = tableIn(play(WATCH, passed, old).state);
    expect(followed).toMatchObject({ shape: { valueSchema: { id: 1 } } });
    expect(withheldOf(followed)).toEqual([]);
    expect((await observing(followed, () => second, 10_000, undefined, all)).found).toEqual([]);
  });

  it("may be what it was: rows have no key any more", async () => {
    const gone = play(WATCH, stateOf(), seen([ID, NAME], { keyed: false })).state;
    const same: Latest = (subject) => (subject.endsWith("key") ? { ...key, id: schemaId(2) } : first);
    expect((await observing(tableIn(gone), same, 10_000)).found).toEqual([]);
    const passed = play(RULES, gone, { kind: "passed", topic: TOPIC, doubt: false }).state;
    expect((await observing(tableIn(passed), same, 10_000)).found).toHaveLength(1);
  });

  it("may be the key's alone", async () => {
    const table = tableIn(play(WATCH, stateOf(), seen([ID, NAME], { key: [1, 2] })).state);
    const run = await observing(table, (subject) => (subject.endsWith("key") ? key : first), 10_000);
    expect(run.found).toEqual([expect.objectContaining({ key: { id: 8, text: key.text } })]);
  });

  it("that is no envelope is told once", async () => {
    const strange = { ...first, id: schemaId(9), text: "syntax = proto3" };
    const { lines, found } = await observing(publishing(), () => strange);
    expect(lines).toEqual([`subject ${TOPIC}-value is no Debezium envelope: the table is not judged`]);
    expect(found).toEqual([]);
  });

  it("that cannot be seen is told once, asked for again, and told when it can", async () => {
    const { lines, found } = await observing(WAITS, (_, at) => {
      if (at < 60_000) throw new GuardError("registry-down", "no answer");
      return value;
    });
    expect(lines).toEqual([
      "the schemas that Debezium registers cannot be read: [registry-down] no answer",
      "the registry answers again: the schemas that Debezium registers are followed",
    ]);
    expect(found).toHaveLength(1);
  });
});
