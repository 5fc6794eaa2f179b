import { describe, expect, it } from "vitest";
import type { TableState } from "../../../src/gate/state.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import { isRewritten, renamedLabels, versionsOf } from "../../../src/gate/amendment/rewritten.ts";
import { attnum, type Column, type ColumnType } from "../../../src/table/column.ts";
import {
  column,
  effectsOf,
  ID,
  NAME,
  play,
  publishing,
  RULES,
  seen,
  stateOf,
  tableIn,
  tableOf,
  TOPIC,
} from "../customers.ts";

const made = (one: Column, version: string): Column => ({ ...one, version });
const PROVEN = [made(ID, "700"), made(NAME, "700")];
const proven = { ...publishing(PROVEN), versions: versionsOf({ columns: PROVEN }) };
/** The result of a look at the table, once the loop has reached its position in the log. */
const jobs = (columns: readonly Column[], filenode: number, before = proven) => {
  const { state } = play(RULES, stateOf(before), seen(columns, { catalog: { ...tableOf(columns), filenode } }));
  return [...state.jobs.keys()];
};

it.each([
  ["the same file", [], PROVEN, 1],
  ["a new file, the same definitions: VACUUM FULL, CLUSTER, TRUNCATE", [], PROVEN, 2],
  ["the same file, a new definition: a rename, a default", [], [made(ID, "700"), made(NAME, "800")], 1],
  ["both differ: ALTER TYPE … USING", [`repair/${TOPIC}`], [made(ID, "700"), made(NAME, "800")], 2],
  ["a new file with a new column whose default is volatile", [], [...PROVEN, made(column(9, "z", "int"), "800")], 2],
] as const)("rows are published again if a rewrite may have changed values: %s", (_what, repairs, columns, file) => {
  expect(jobs(columns, file)).toEqual(repairs);
});

it("unknown facts count as a rewrite, but only if the file differs", () => {
  const older = { ...proven, versions: undefined };
  expect(jobs(PROVEN, 1, older)).toEqual([]);
  expect(jobs(PROVEN, 2, older)).toEqual([`repair/${TOPIC}`]);
  expect(jobs([ID, NAME], 2)).toEqual([`repair/${TOPIC}`]);
  expect(isRewritten({ ...proven, filenode: undefined }, { filenode: 2, versions: {} })).toBe(false);
});

it.each([
  ["all partitions have new files", [`repair/${TOPIC}`], -7, -8],
  ["the partitions have the same files", [], -7, -7],
  ["a state of an earlier version does not have the partitions' files", [], 0, -8],
  ["a DDL message does not have the partitions' files", [], -7, 0],
] as const)(
  "the rows of a partitioned table are published again after a rewrite: %s",
  (_what, repairs, before, now) => {
    const columns = [made(ID, "700"), made(NAME, "800")];
    expect(jobs(columns, now, { ...proven, filenode: before })).toEqual(repairs);
  },
);

it("columns are proven at their place in the log, although the catalog is ahead of it", () => {
  const before = { ...publishing([ID, NAME]), known: [], assigned: undefined };
  const ahead = tableOf([ID, NAME, column(3, "more", "text")]);
  const { state } = play(RULES, stateOf(before), seen([ID, NAME], { catalog: ahead }));
  const { known, assigned, filenode } = tableIn(state);
  expect(known.map(({ name }) => name)).toEqual(["id", "name"]);
  expect({ assigned, filenode }).toEqual({ assigned: 2, filenode: before.filenode });
});

it("a file that only a catalog ahead of the log shows is not recorded as proven", () => {
  const ahead = [made(ID, "700"), made(NAME, "800"), made(column(3, "more", "text"), "900")];
  const early = seen(PROVEN, { catalog: { ...tableOf(ahead), filenode: 2 } });
  const later = seen(ahead, { catalog: { ...tableOf(ahead), filenode: 2 } });
  expect([...play(RULES, stateOf(proven), early).state.jobs.keys()]).toEqual([]);
  expect([...play(RULES, stateOf(proven), early, later).state.jobs.keys()]).toEqual([`repair/${TOPIC}`]);
});

const enumOf = (...labels: readonly (readonly [number, string])[]): ColumnType => ({
  oid: 90_000,
  typmod: -1,
  detail: { kind: "enum", name: "mood", labels: labels.map(([, label]) => label), ids: labels.map(([id]) => id) },
});
const WITHOUT_IDS: ColumnType = { oid: 90_000, typmod: -1, detail: { kind: "enum", name: "mood", labels: ["low"] } };
const of = (type: ColumnType): Column => ({ ...column(2, "mood", "text"), type });
const low = [1, "low"] as const;
const high = [2, "high"] as const;
const inDomain = (type: ColumnType): ColumnType => ({
  oid: 90_001,
  typmod: -1,
  detail: { kind: "domain", name: "d", of: type },
});

it.each([
  ["renamed", true, enumOf(low, high), enumOf(low, [2, "top"])],
  ["the labels' names exchanged", true, enumOf(low, high), enumOf([1, "high"], [2, "low"])],
  ["renamed in a domain's or an array's enum", true, inDomain(enumOf(low)), inDomain(enumOf([1, "bottom"]))],
  ["a name that another label had before", true, enumOf(low, high), enumOf([1, "lowest"], [3, "low"], high)],
  ["a label added before another", false, enumOf(low, high), enumOf([3, "lowest"], low, high)],
  ["an older catalog read, which lacks a label", false, enumOf(low, high), enumOf(low)],
  ["a different type", false, enumOf(low), { ...enumOf([1, "x"]), oid: 90_002 }],
  ["labels recorded by an earlier version", false, WITHOUT_IDS, enumOf([1, "x"])],
])("a renamed label changes what rows show: %s", (_what, renamed, before, now) => {
  const table = publishing([ID, of(before)]);
  expect(renamedLabels(table, [{ column: of(now), gone: false }])).toEqual(renamed ? [2] : []);
  const { jobs: found } = play(RULES, stateOf(table), seen([ID, of(now)])).state;
  expect([...found.keys()].some((id) => id.startsWith("repair/"))).toBe(renamed);
});

it("a renamed label of a column without a field needs nothing", () => {
  const table = { ...publishing([ID]), known: publishing([ID, of(enumOf(low))]).known };
  expect(renamedLabels(table, [{ column: of(enumOf([1, "x"])), gone: false }])).toEqual([]);
});

describe("a label of published rows that the last proven columns do not have", () => {
  const labels = (label: string, at = "0/50", newest = 2) =>
    ({
      kind: "labels-published",
      topic: TOPIC,
      unseen: { labels: [{ attnum: attnum(2), label, newest }], at },
    }) as const;
  const after = (
    label: string,
    now: ColumnType,
    readTo: bigint | undefined,
    table = publishing([ID, of(enumOf(low, high))]),
  ) =>
    play(RULES, stateOf(table), labels(label), {
      ...seen([ID, of(now)]),
      readTo: readTo === undefined ? undefined : lsn(readTo),
    }).state;

  it.each([
    ["was renamed if it no longer exists", true, "mid", enumOf(low, high, [3, "center"])],
    ["was added if it exists", false, "mid", enumOf(low, high, [3, "mid"])],
    ["was added if only later labels are unknown as well", false, "mid", enumOf(low, high, [3, "mid"], [4, "more"])],
    [
      "may be an older label that was renamed, if a later one has its name",
      true,
      "mid",
      enumOf(low, high, [3, "center"], [4, "mid"]),
    ],
    ["is nothing to judge by once its column is no enum", false, "mid", { oid: 25, typmod: -1 }],
  ])("%s", (_, renamed, label, now) => {
    const { jobs: found, tables } = after(label, now, 0x50n);
    expect([...found.keys()].includes(`repair/${TOPIC}`)).toBe(renamed);
    expect(tables.get(TOPIC)?.unseen).toBeUndefined();
  });

  it.each([
    ["a read from before the row", 0x40n],
    ["a row's Relation", undefined],
  ])("is kept over %s", (_, readTo) => {
    const { jobs: found, tables } = after("mid", enumOf(low, high, [3, "center"]), readTo);
    expect([...found.keys()]).toEqual([]);
    expect(tables.get(TOPIC)?.unseen).toEqual(labels("mid").unseen);
  });
});

describe("a key whose values change without an event leaves rows under their old keys, which people are told", () => {
  const STATUS = { ...of(enumOf(low, high)), notNull: true };
  const keyedBy = (one: Column) => {
    const table = publishing([ID, one]);
    return {
      ...table,
      shape: { ...table.shape, key: table.shape.fields.slice(1) },
      versions: versionsOf({ columns: PROVEN }),
    };
  };
  const gaps = (table: TableState, columns: readonly Column[], more: Parameters<typeof seen>[1] = {}, file = 1) => {
    const catalog = { ...tableOf(columns), key: [attnum(2)], filenode: file };
    const step = play(RULES, stateOf(table), seen(columns, { ...more, catalog, key: [2] }));
    const { news } = tableIn(step.state).gap ?? {};
    expect(effectsOf(step).includes(`report-gap ${TOPIC}`)).toBe(news !== undefined);
    return news;
  };
  const NEW_ID = made({ ...NAME, notNull: true }, "800");

  it.each([
    ["a renamed label of its enum", keyedBy(STATUS), [ID, { ...STATUS, type: enumOf(low, [2, "top"]) }], {}, 1, "mood"],
    ["a rewrite that changed its definition", keyedBy(NAME), [made(ID, "700"), NEW_ID], {}, 2, "name"],
    ["a rewrite that a DDL message reports", keyedBy(NAME), [made(ID, "700"), NEW_ID], { rewritten: true }, 2, "name"],
  ] as const)("%s", (_, table, columns, more, file, name) => {
    expect(gaps(table, columns, more, file)).toEqual({ kind: "rekeyed", columns: [name] });
  });

  it.each([
    ["a rewrite of another column", keyedBy(NAME), [made(ID, "800"), made(NAME, "700")], {}, 2],
    [
      "a new column with a volatile default",
      keyedBy(NAME),
      [...PROVEN, made(column(9, "z", "int"), "800")],
      { rewritten: true },
      2,
    ],
    ["a new definition in the same file", keyedBy(NAME), [made(ID, "700"), NEW_ID], {}, 1],
  ] as const)("but not %s", (_, table, columns, more, file) => {
    expect(gaps(table, columns, more, file)).toBeUndefined();
  });
});
