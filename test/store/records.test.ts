import { fc, test as law } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import type { ChunkJob } from "../../src/chunk/job.ts";
import { GuardError } from "../../src/errors.ts";
import type { Verdict } from "../../src/gate/amendment/amendment.ts";
import type { TopicEvidence } from "../../src/gate/evidence/evidence.ts";
import { changes, EMPTY, isStarted, replay, startedRecord, type Stored } from "../../src/store/records.ts";
import type { StateRecord } from "../../src/store/record.ts";
import { lsn } from "../../src/wal/lsn.ts";
import type { Position } from "../../src/wal/position.ts";
import {
  fits,
  ID,
  idOf,
  MANUAL,
  NAME,
  NICK,
  play,
  publishing,
  registered,
  release,
  seen,
  stateOf,
  tableIn,
  TOPIC,
} from "../gate/customers.ts";
import { hostileJson, hostileWord } from "../hostile.ts";
import { withoutAnswers } from "./without-answers.ts";

const WITHHELD = tableIn(play(MANUAL, stateOf(), seen([ID, NAME, NICK]), (now) => fits(now, idOf(NICK))).state);
const RELEASED = play(
  MANUAL,
  stateOf(WITHHELD),
  { kind: "passed", topic: WITHHELD.shape.topic, doubt: false },
  release([idOf(NICK)]),
  (now) => registered(now, idOf(NICK)),
).state;
const verdict: fc.Arbitrary<Verdict> = fc.record({
  consumer: fc.string(),
  environment: fc.string(),
  verdict: fc.constantFrom("ready", "not-ready", "unknown"),
  findings: fc.constant([]),
});
const tables = fc
  .tuple(
    fc.constantFrom(publishing(), publishing([ID, NAME], false), WITHHELD, tableIn(RELEASED)),
    fc.array(verdict, { maxLength: 3 }),
    // Sometimes larger than one record.
    fc.oneof(
      { weight: 20, arbitrary: fc.constant("x") },
      { weight: 1, arbitrary: fc.constantFrom("é".repeat(130_000), '"'.repeat(250_000)) },
    ),
  )
  .map(([table, verdicts, command]) => ({
    ...table,
    amendments: table.amendments.map((one) => ({ ...one, verdicts, explained: { command, role: "r", time: "t" } })),
  }));
const job: fc.Arbitrary<ChunkJob> = fc.constantFrom(...RELEASED.jobs.values()).chain((one) =>
  fc
    .record({
      cursor: fc.option(fc.array(fc.string()), { nil: undefined }),
      again: fc.array(fc.array(fc.string())),
      state: fc.constantFrom("running" as const, "done" as const),
    })
    .map((more) => ({ ...one, ...more })),
);
const outcome = fc.constantFrom(
  { kind: "pending" as const },
  { kind: "done" as const, done: { kind: "released" as const, ids: ["a/b/3"] } },
  { kind: "refused" as const, refusals: [{ kind: "superseded" as const }] },
  { kind: "recorded" as const, is: "refused" as const, message: "no" },
);
const bytes8 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(lsn);
const position: fc.Arbitrary<Position> = fc.record({
  endLsn: bytes8,
  commitLsn: fc.option(bytes8, { nil: undefined }),
  tx: fc.option(fc.record({ commitLsn: bytes8, index: fc.nat() }), { nil: undefined }),
  systemId: fc.bigInt({ min: 1n, max: 2n ** 63n }).map(String),
  timeline: fc.nat(),
  slot: fc.string(),
});
const evidence: fc.Arbitrary<TopicEvidence> = fc.record({
  began: fc.nat(),
  at: fc.nat(),
  groups: fc.array(
    fc.record({
      group: fc.string(),
      first: fc.nat(),
      active: fc.option(fc.nat(), { nil: undefined }),
      moved: fc.option(fc.nat(), { nil: undefined }),
      members: fc.option(fc.nat(), { nil: undefined }),
      committed: fc.option(fc.record({ partitions: fc.nat(), sum: fc.bigInt().map(String) }), { nil: undefined }),
      readers: fc.dictionary(fc.string(), fc.nat()),
    }),
  ),
  contracts: fc.dictionary(fc.string(), fc.nat()),
});
const name = fc.constantFrom("inventory.public.customers", "a/b/3", "übung", "");
const stored: fc.Arbitrary<Stored> = fc.record({
  intent: fc.option(fc.record({ slot: fc.string(), publication: fc.string(), systemId: fc.string() }), {
    nil: undefined,
  }),
  position: fc.option(position, { nil: undefined }),
  tables: fc.array(fc.tuple(name, tables)).map((entries) => new Map(entries)),
  jobs: fc.array(fc.tuple(name, job)).map((entries) => new Map(entries)),
  outcomes: fc.array(fc.tuple(name, outcome)).map((entries) => new Map(entries)),
  evidence: fc.array(fc.tuple(name, evidence)).map((entries) => new Map(entries)),
  commandOffset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
});

/** Leaves out keys whose value is undefined, as JSON does. */
function plain(value: Stored): unknown {
  return JSON.parse(
    JSON.stringify(withoutAnswers(value), (_, one: unknown) =>
      typeof one === "bigint"
        ? `${one}n`
        : one instanceof Map
          ? [...one].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))
          : one,
    ),
  );
}

describe("the state topic", () => {
  // Intent and position are never removed.
  law.prop([fc.array(stored, { minLength: 1, maxLength: 4 })])(
    "returns the last state, whichever states led to it",
    (states) => {
      const records: StateRecord[] = [startedRecord("one", "now")];
      let before = EMPTY;
      for (const next of states) {
        const now = { ...next, intent: next.intent ?? before.intent, position: next.position ?? before.position };
        records.push(...changes(before, now), startedRecord("two", "now"));
        before = now;
      }
      expect(plain(replay(records))).toEqual(plain(before));
    },
  );

  law.prop([stored, stored])(
    "returns the same if only the last record of each key is left, as after compaction",
    (first, second) => {
      const records = [...changes(EMPTY, first), ...changes(first, second)];
      const compacted = records.filter(
        ({ key }, index) => records.findLastIndex((other) => other.key === key) === index,
      );
      expect(plain(replay(compacted))).toEqual(plain(replay(records)));
    },
  );

  it("gets only the record of the amendment that changed", () => {
    const table = tableIn(RELEASED);
    const state: Stored = { ...EMPTY, tables: RELEASED.tables };
    const amendments = table.amendments.map((one) => ({ ...one, missed: !one.missed }));
    const next = { ...state, tables: new Map([[TOPIC, { ...table, amendments }]]) };
    expect(changes(state, next).map(({ key }) => key)).toEqual([`amendment/${idOf(NICK)}`]);
  });

  it("keeps nothing of an amendment that no longer exists", () => {
    const state: Stored = { ...EMPTY, tables: RELEASED.tables };
    const next = { ...state, tables: new Map([[TOPIC, publishing()]]) };
    const gone = changes(state, next).filter(({ value }) => value === null);
    expect(gone.map(({ key }) => key)).toContain(`amendment/${idOf(NICK)}`);
    expect(plain(replay([...changes(EMPTY, state), ...changes(state, next)]))).toEqual(plain(next));
  });

  it("that lacks a part, an amendment or a verdict is refused, naming the record", () => {
    const table = tableIn(RELEASED);
    const verdicts = [{ consumer: "c", environment: "e", verdict: "ready", findings: [] }] as const;
    const explained = { command: "x".repeat(130_000), role: "r", time: "t" };
    const amendments = table.amendments.map((one) => ({ ...one, verdicts, explained }));
    const all = changes(EMPTY, { ...EMPTY, tables: new Map([[TOPIC, { ...table, amendments }]]) });
    for (const key of [`amendment/${idOf(NICK)}`, `verdict/${idOf(NICK)}/0`, `part/1/amendment/${idOf(NICK)}`]) {
      expect(all.map((one) => one.key)).toContain(key);
      expect(() => replay(all.filter((one) => one.key !== key))).toThrow(`state record ${key} is missing`);
    }
  });

  it("writes nothing when nothing changed, and one record for one change", () => {
    const state: Stored = { ...EMPTY, tables: RELEASED.tables, jobs: RELEASED.jobs, outcomes: RELEASED.outcomes };
    expect(changes(state, state)).toEqual([]);
    expect(changes(state, { ...state, commandOffset: 5n }).map(({ key }) => key)).toEqual(["commands"]);
    const [id] = state.jobs.keys();
    expect(changes(state, { ...state, jobs: new Map() })).toEqual([{ key: `job/${id}`, value: null }]);
  });

  it("writes the position last: a reader that stops before it reads everything again", () => {
    const at: Position = {
      endLsn: lsn(5n),
      commitLsn: undefined,
      tx: undefined,
      systemId: "1",
      timeline: 1,
      slot: "s",
    };
    const all = changes(EMPTY, {
      ...EMPTY,
      intent: { slot: "s", publication: "p", systemId: "1" },
      tables: RELEASED.tables,
      jobs: RELEASED.jobs,
      commandOffset: 1n,
      position: at,
    });
    expect(all.at(-1)?.key).toBe("position");
  });

  it("recognizes its own start and no other", () => {
    expect(isStarted(startedRecord("one", "now"), "one")).toBe(true);
    expect(isStarted(startedRecord("one", "now"), "on")).toBe(false);
    expect(isStarted({ key: "started", value: null }, "one")).toBe(false);
    expect(isStarted({ key: "position", value: '{"id":"one"}' }, "one")).toBe(false);
  });

  it("fields that another version left out of the evidence are unknown, and no error", () => {
    const groups = '[{"group":"a","first":1}]';
    const records = [
      { key: "groups/t", value: `{"v":1,"began":1,"at":2,"groups":${groups},"later":true}` },
      { key: "groups/u", value: '{"v":1}' },
    ];
    expect(replay(records).evidence).toEqual(
      new Map([
        ["t", { began: 1, at: 2, contracts: {}, groups: [{ group: "a", first: 1, readers: {} }] }],
        ["u", { began: 0, at: 0, contracts: {}, groups: [] }],
      ]),
    );
  });

  const broken: [string, string, string, RegExp][] = [
    ["no JSON", "table/inventory.public.t", "{", /table\/inventory\.public\.t: not JSON/],
    ["no object", "job/snapshot/t", "3", /job\/snapshot\/t: not an object/],
    ["null", "position", "null", /position: not an object/],
    ["a later version", "outcome/c1", '{"v":4,"kind":"done"}', /outcome\/c1: version 4 is not known/],
    ["no version", "intent", '{"slot":"s"}', /intent: version missing is not known/],
    [
      "a position without an LSN",
      "position",
      '{"v":1,"endLsn":"x","systemId":"1","slot":"s"}',
      /position: endLsn is not an LSN/,
    ],
    [
      "a position without its text",
      "position",
      '{"v":1,"endLsn":"0/5","timeline":1,"slot":"s"}',
      /position: systemId is not a string/,
    ],
    ["an offset that is no number", "commands", '{"v":1,"offset":"x"}', /"commands": its offset is not a number/],
  ];
  it.each(broken)("that holds %s is refused, naming the record", (_, key, value, expected) => {
    const reading = () => replay([{ key, value }]);
    expect(reading).toThrow(GuardError);
    expect(reading).toThrow(expected);
    expect(reading).toThrow(/^\[state-invalid\]/);
  });

  it("uses a record that replaced a broken one", () => {
    expect(
      replay([
        { key: "job/a", value: "{" },
        { key: "job/a", value: null },
      ]).jobs.size,
    ).toBe(0);
  });
});

describe("records that somebody else wrote", () => {
  const written = changes(EMPTY, {
    ...EMPTY,
    tables: RELEASED.tables,
    jobs: RELEASED.jobs,
    outcomes: RELEASED.outcomes,
  });
  const keys = written.map(({ key }) => key);
  const kinds = ["table", "job", "outcome", "groups", "intent", "position", "trigger", "file", "commands", "amendment"];
  const anyKey = fc.oneof(
    fc.constantFrom(...keys),
    fc.tuple(fc.constantFrom(...kinds), hostileWord).map(([kind, id]) => `${kind}/${id}`),
    hostileWord,
  );
  const anyValue = fc.oneof(
    hostileJson.map((json) => JSON.stringify(json)),
    fc.tuple(hostileJson, fc.constantFrom(1, 2, 3, 4)).map(([json, v]) => JSON.stringify({ ...Object(json), v })),
    fc.constantFrom('{"v":3,"parts":3}', '{"v":3,"parts":99999999}', "", "null", "[".repeat(50_000)),
    hostileWord,
  );

  law.prop([fc.array(fc.record({ key: anyKey, value: fc.option(anyValue) }), { maxLength: 4 })], { numRuns: 500 })(
    "are refused by the name of the record, or are read; nothing else is thrown",
    (records) => {
      try {
        replay([...written, ...records]);
      } catch (error) {
        expect(error).toMatchObject({ code: "state-invalid" });
      }
    },
  );

  law.prop([fc.constantFrom(...written), fc.nat()], { numRuns: 300 })(
    "that lack a value or have another one in its place",
    ({ key, value }, at) => {
      const json = JSON.parse(value ?? "{}") as Record<string, unknown>; // our own record
      const names = Object.keys(json);
      const chosen = names[at % Math.max(1, names.length)] ?? "v";
      for (const changed of [
        { ...json, [chosen]: undefined },
        { ...json, [chosen]: 7 },
        { ...json, [chosen]: "x" },
      ]) {
        try {
          replay([...written, { key, value: JSON.stringify(changed) }]);
        } catch (error) {
          expect(error).toMatchObject({ code: "state-invalid" });
        }
      }
    },
  );
});
