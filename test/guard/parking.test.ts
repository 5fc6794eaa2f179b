import { describe, expect, it } from "vitest";
import type { State } from "../../src/gate/state.ts";
import { post } from "../../src/guard/session.ts";
import { readParkedKey, readParkedValue } from "../../src/store/parked.ts";
import type { OutRecord } from "../../src/kafka/record.ts";
import { findBacklogs } from "../../src/guard/stream/backlog.ts";
import { type Column, tableOid } from "../../src/table/column.ts";
import { lsn } from "../../src/wal/lsn.ts";
import type { WalItem } from "../../src/wal/message.ts";
import { avscType } from "../event/avro.ts";
import { column, ID, NICK, publishing, release, stateOf, tableOf, TOPIC } from "../gate/customers.ts";
import { until } from "../stack/until.ts";
import { events, isReached, running } from "./running.ts";
import { CUSTOMERS, type Given, lookAt, lookedTable, PARKED_TOPIC, parkedRecords, type World } from "./session.ts";
import { insert, keepalive, mark, relation, transaction, update } from "./wal.ts";

const SEES_ALL = { xmin: 1_000_000n, xmax: 1_000_000n, inProgress: new Set<bigint>() };
const N = column(2, "n", "int", { notNull: true });
const BIG = column(2, "n", "bigint", { notNull: true });
const HUGE = "5000000000";
const NO_BYTES = Buffer.alloc(0);

/** The catalog's columns; a test may change them while the loop runs. */
interface Catalog {
  columns: readonly Column[];
}

function withCatalog(catalog: Catalog, more: Given = {}): Given {
  let end = 1000n;
  return {
    ...more,
    rules: { "fieldgate.release.policy": "manual" },
    source: {
      table: async () => ({ table: tableOf(catalog.columns), snapshot: SEES_ALL, end: lsn((end += 1000n)) }),
      ...more.source,
    },
  };
}

const publishingN = (): State => stateOf(publishing([ID, N]));
const RETYPED = `${TOPIC}/2`;

/** The column has become a bigint, and a row uses it. */
function parkedLoop(catalog: Catalog = { columns: [ID, BIG] }, state = publishingN(), more: Given = {}) {
  return running(withCatalog(catalog, more), state);
}

const fits = (at: bigint, key: string, n = "1") => insert(at, key, n);

function feedUnfit(world: World, ...more: readonly WalItem[]): void {
  world.feed(
    ...transaction(200n, relation([ID, BIG]), fits(150n, "1"), fits(160n, "2", HUGE), fits(170n, "3"), ...more),
  );
}

const parkedIn = ({ tables }: Pick<State, "tables">) => tables.get(TOPIC)?.parked;
/** The ids that the events' keys have, in order. */
const ids = (world: World) => events(world).map(({ key }) => Number(key?.at(-1)) / 2);
const kept = (world: World) =>
  parkedRecords(world.commits).flatMap(({ key, value }) =>
    key === null || value === null ? [] : [readParkedValue(readParkedKey(key)?.seq ?? 0, value)],
  );

describe("a row that does not fit parks its table", () => {
  it("with all that follow it, in order, and the rows before it are published", async () => {
    await using loop = parkedLoop();
    feedUnfit(loop.world);
    await until(() => isReached(loop.world, "0/C8"), "the transaction is committed");
    expect(ids(loop.world)).toEqual([1]);
    expect(kept(loop.world).map(({ seq, lsn: at }) => [seq, at])).toEqual([
      [1, 160n],
      [2, 170n],
    ]);
    expect(parkedIn(loop.session.batch.committed)).toMatchObject({
      why: { code: "value-unfit", field: "n" },
      written: 2,
      replayed: 0,
    });
    expect(loop.world.statuses.at(-1)).toMatchObject({ kind: "streaming" });
    expect(loop.world.stops).toEqual([]);
  });

  it("in one transaction with the counts and the position after them", async () => {
    await using loop = parkedLoop();
    feedUnfit(loop.world);
    await until(() => isReached(loop.world, "0/C8"), "the transaction is committed");
    const [commit] = loop.world.commits.filter((records) => records.some(({ topic }) => topic === PARKED_TOPIC));
    const keys = commit?.filter(({ topic }) => topic !== PARKED_TOPIC).map(({ key }) => String(key));
    expect(keys).toEqual(expect.arrayContaining([`parked/${TOPIC}`, "position"]));
  });

  it("and is told once, with the command that lets it continue and without the value", async () => {
    await using loop = parkedLoop();
    feedUnfit(loop.world);
    await until(() => loop.world.log.some((line) => line.startsWith("notice")), "people are told");
    await until(() => parkedIn(loop.session.batch.committed)?.reported === true, "that is recorded");
    const about = loop.world.log.filter((line) => line.includes("is parked"));
    expect(about).toHaveLength(2);
    expect(about[0]).toMatch(/public\.customers is parked: public\.customers\.n at 0\/A0: .*now has type bigint/);
    expect(about[0]).toContain(`fieldgate release ${RETYPED}`);
    expect(about.join("")).not.toContain(HUGE);
  });

  it("until the command is carried out: then every change is published once and in order, and the topic is emptied", async () => {
    await using loop = parkedLoop();
    feedUnfit(loop.world);
    await until(() => isReached(loop.world, "0/C8"), "the transaction is committed");
    post(loop.session, { input: release([RETYPED]), nextCommand: 1n });
    await until(() => parkedIn(loop.session.batch.committed) === undefined, "it flows again");
    loop.world.feed(...transaction(300n, fits(250n, "4", HUGE)));
    await until(() => isReached(loop.world, "0/12C"), "the next transaction");
    expect(ids(loop.world)).toEqual([1, 2, 3, 4]);
    const last = new Map(parkedRecords(loop.world.commits).map(({ key, value }) => [String(key), value]));
    expect([...last.values()]).toEqual([null, null]);
    expect(loop.world.log.some((line) => line.includes("flows again: 2 parked changes published in order"))).toBe(true);
  });

  it.each([
    ["that is optional", { ...N, notNull: false }, { ...BIG, notNull: false }],
    ["that was required becomes optional, and", N, BIG],
  ])(
    "until the new type gets a field of its own: an old field %s has null for values that do not fit it",
    async (_, n, big) => {
      await using loop = parkedLoop({ columns: [ID, big] }, stateOf(publishing([ID, n])));
      feedUnfit(loop.world);
      await until(() => isReached(loop.world, "0/C8"), "the transaction is committed");
      post(loop.session, { input: release([RETYPED], { beside: { name: "n_2" } }), nextCommand: 1n });
      await until(() => parkedIn(loop.session.batch.committed) === undefined, "it flows again");
      loop.world.feed(...transaction(300n, fits(250n, "4", HUGE)));
      await until(() => isReached(loop.world, "0/12C"), "the next transaction");
      const type = avscType(loop.session.batch.committed.tables.get(TOPIC)?.shape.valueSchema.text ?? "");
      const rows = events(loop.world)
        .slice(1)
        .map(({ value }) => ({ ...type.fromBuffer(value?.subarray(5) ?? NO_BYTES).after }));
      expect(rows).toEqual([
        { id: 2, n: null, n_2: BigInt(HUGE) },
        { id: 3, n: 1, n_2: 1n },
        { id: 4, n: null, n_2: BigInt(HUGE) },
      ]);
    },
  );

  it("and what came after the row of another table is not waited for", async () => {
    await using loop = parkedLoop();
    feedUnfit(loop.world);
    loop.world.feed(...transaction(300n, fits(250n, "5")), keepalive(400n));
    await until(() => isReached(loop.world, "0/12C"), "the log is read on");
    expect(loop.world.acknowledged.at(-1)).toBeGreaterThanOrEqual(300n);
    expect(kept(loop.world)).toHaveLength(3);
  });

  it("unless the file says stop: then the reading halts as it did", async () => {
    await using loop = parkedLoop(undefined, undefined, { settings: { "fieldgate.on.unfit": "stop" } });
    feedUnfit(loop.world);
    await until(() => loop.world.stops.length > 0, "the halt");
    expect(loop.world.stops).toEqual(["value-unfit"]);
    expect(kept(loop.world)).toEqual([]);
  });
});

describe("parked changes", () => {
  it("have no value of a column that is withheld", async () => {
    await using loop = parkedLoop({ columns: [ID, BIG, NICK] });
    const rows = [insert(150n, "1", HUGE, "secret"), update(160n, ["7", "2", "secret"], ["1", null, null])];
    loop.world.feed(...transaction(200n, relation([ID, BIG, NICK]), ...rows));
    await until(() => isReached(loop.world, "0/C8"), "the transaction is committed");
    expect(kept(loop.world)).toHaveLength(2);
    expect(loop.world.commits.flat().some(({ value }) => value?.includes("secret") === true)).toBe(false);
    post(loop.session, { input: release([RETYPED]), nextCommand: 1n });
    await until(() => parkedIn(loop.session.batch.committed) === undefined, "it flows again");
    // Created as 1; then 1 is deleted, with its tombstone, and created as 7.
    expect(ids(loop.world)).toEqual([1, 1, 1, 7]);
  });

  it("are read back from Kafka after a restart, also in the middle of them", async () => {
    const catalog = { columns: [ID, BIG] };
    const first = parkedLoop(catalog);
    feedUnfit(first.world);
    await until(() => isReached(first.world, "0/C8"), "the transaction is committed");
    await first[Symbol.asyncDispose]();
    const { tables } = first.session.batch.committed;
    await using second = parkedLoop(catalog, { ...publishingN(), tables });
    second.world.commits.push(...first.world.commits);
    findBacklogs(second.session);
    second.world.feed(...transaction(300n, relation([ID, BIG]), fits(250n, "4", HUGE)));
    await until(() => isReached(second.world, "0/12C"), "the next transaction");
    expect(ids(second.world)).toEqual([1]);
    post(second.session, { input: release([RETYPED]), nextCommand: 1n });
    await until(() => parkedIn(second.session.batch.committed) === undefined, "it flows again");
    expect(ids(second.world)).toEqual([1, 2, 3, 4]);
  });

  it("that the undone change made unfit are passed over, a removal is published, and the table is repaired", async () => {
    const catalog: Catalog = { columns: [ID, BIG] };
    await using loop = parkedLoop(catalog);
    feedUnfit(loop.world, update(180n, ["9", HUGE], ["3", null]));
    await until(() => loop.world.marks.length === 1, "the catalog is read");
    catalog.columns = [ID, N];
    loop.world.feed(...transaction(250n, ...loop.world.marks.map(mark)));
    await until(() => isReached(loop.world, "0/FA"), "the read is applied");
    expect(parkedIn(loop.session.control.state)).toBeDefined();
    loop.world.clock.micros += 11_000_000n;
    loop.session.waker.wake();
    await until(() => loop.world.marks.length === 2, "the catalog is read again");
    loop.world.feed(...transaction(300n, ...loop.world.marks.slice(1).map(mark)));
    await until(() => parkedIn(loop.session.control.state) === undefined, "it flows again");
    await until(() => isReached(loop.world, "0/12C"), "that is committed");
    // 2 never fitted; 3 fitted; 3 became 9, which does not fit: 3 is gone.
    expect(ids(loop.world)).toEqual([1, 3, 3, 3]);
    expect(loop.session.control.state.jobs.get(`repair/${TOPIC}`)).toMatchObject({ state: "running" });
  });
});

it("parked changes of a dropped table that fit no event are passed over, and people are alerted", async () => {
  const gone = { kind: "lost", why: { kind: "dropped" } } as const;
  const gap = { news: gone, since: "0/64", time: "2026-11-29T00:00:00.000Z", reported: true };
  const none = async () => ({ table: undefined, snapshot: SEES_ALL, end: lsn(900n) });
  await using loop = running({ source: { table: none } }, stateOf({ ...publishing([ID, N]), gap }));
  const { world, session } = loop;
  world.feed(...transaction(200n, relation([ID, N]), fits(150n, "1"), fits(160n, "2")));
  await until(() => world.log.some((line) => line.includes("in no event")), "people are alerted");
  expect(world.log).toContain(
    "public.customers was dropped, and 2 of 2 parked changes are in no event: they fit none, and the table can no longer be read",
  );
  expect(events(world)).toEqual([]);
  expect(parkedIn(session.control.state)).toBeUndefined();
  expect(session.control.state.jobs.size).toBe(0);
});

describe("parked changes that are missing from their topic", () => {
  /** The table is parked, and a second session begins of which the topic has only the changes that `isKept` names. */
  async function afterLoss(isKept: (seq: number) => boolean, state = publishingN()) {
    const catalog = { columns: [ID, BIG] };
    const first = parkedLoop(catalog, state);
    feedUnfit(first.world);
    await until(() => isReached(first.world, "0/C8"), "the transaction is committed");
    await first[Symbol.asyncDispose]();
    const { tables } = first.session.batch.committed;
    const second = parkedLoop(catalog, { ...state, tables });
    const survives = ({ topic, key }: OutRecord) =>
      topic !== PARKED_TOPIC || isKept(readParkedKey(key ?? Buffer.alloc(0))?.seq ?? 0);
    second.world.commits.push(...first.world.commits.map((records) => records.filter(survives)));
    findBacklogs(second.session);
    second.session.waker.wake();
    return second;
  }
  const isTold = ({ log }: World, text: RegExp) => log.some((line) => line.startsWith("notice") && text.test(line));
  const unparked = ({ session }: ReturnType<typeof parkedLoop>) => parkedIn(session.batch.committed) === undefined;
  const repairOf = ({ session }: ReturnType<typeof parkedLoop>) =>
    session.batch.committed.jobs.get(`repair/${TOPIC}`)?.state;

  it("all of them: people are alerted, and the table flows again with a repair, also without a new change", async () => {
    await using loop = await afterLoss(() => false);
    await until(() => unparked(loop), "the table flows again");
    await until(() => isTold(loop.world, /2 parked changes were missing/), "people are alerted");
    expect(repairOf(loop)).toBe("running");
    expect(isTold(loop.world, /all rows of the table are published again, but rows that were deleted/)).toBe(true);
    expect(ids(loop.world)).toEqual([1]);
    loop.world.feed(...transaction(300n, relation([ID, BIG]), fits(250n, "4")));
    await until(() => isReached(loop.world, "0/12C"), "the next transaction");
    expect(ids(loop.world)).toEqual([1, 4]);
  });

  it("the first of them: the others are published, and the table is repaired", async () => {
    await using loop = await afterLoss((seq) => seq > 1);
    await until(() => unparked(loop), "the table flows again");
    await until(() => isTold(loop.world, /1 parked change was missing/), "people are alerted");
    expect(ids(loop.world)).toEqual([1, 3]);
    expect(repairOf(loop)).toBe("running");
  });

  it("the last of them: the others wait for the command, and after it the table is repaired", async () => {
    await using loop = await afterLoss((seq) => seq < 2);
    expect(parkedIn(loop.session.batch.committed)).toBeDefined();
    post(loop.session, { input: release([RETYPED]), nextCommand: 1n });
    await until(() => unparked(loop), "the table flows again");
    await until(() => isTold(loop.world, /1 parked change was missing/), "people are alerted");
    expect(ids(loop.world)).toEqual([1, 2]);
    expect(repairOf(loop)).toBe("running");
  });

  it("and others still wait: people are alerted at once, and the table's state says so", async () => {
    const before = { ...publishingN() };
    const catalog = { columns: [ID, BIG] };
    const first = parkedLoop(catalog, before);
    const rows = [fits(150n, "1"), fits(160n, "2", HUGE), fits(170n, "3", HUGE)];
    first.world.feed(...transaction(200n, relation([ID, BIG]), ...rows));
    await until(() => parkedIn(first.session.batch.committed)?.reported === true, "that it is parked is reported");
    await until(() => isReached(first.world, "0/C8"), "the transaction is committed");
    await first[Symbol.asyncDispose]();
    const { tables } = first.session.batch.committed;
    await using second = parkedLoop(catalog, { ...before, tables });
    const isFirst = ({ topic, key }: OutRecord) => topic === PARKED_TOPIC && key?.toString().endsWith("1") === true;
    second.world.commits.push(...first.world.commits.map((records) => records.filter((record) => !isFirst(record))));
    findBacklogs(second.session);
    second.session.waker.wake();
    await until(() => isTold(second.world, /is parked: .*1 parked change was missing/), "people are alerted");
    expect(parkedIn(second.session.batch.committed)).toMatchObject({ written: 2, replayed: 1, lost: 1 });
    expect(ids(second.world)).toEqual([1]);
  });

  it("of a table without a key: people are alerted that its rows cannot be published again", async () => {
    await using loop = await afterLoss(() => false, stateOf(publishing([ID, N], false)));
    await until(() => unparked(loop), "the table flows again");
    await until(() => isTold(loop.world, /the table has no key, so its rows cannot be published again/), "the alert");
    expect(repairOf(loop)).toBe("refused");
  });
});

it.each([
  ["compact,delete", 1, "may delete parked changes"],
  ["delete", 1, "may delete parked changes"],
  ["compact", 1, undefined],
] as const)(
  "a parked topic with cleanup.policy=%s and %i partition is used, and reported if Kafka deletes from it",
  async (...given) => {
    const [cleanupPolicy, partitions, told] = given;
    const described = { partitions, maxMessageBytes: 1 << 20, cleanupPolicy, config: new Map() };
    const sink = { describeTopics: async () => new Map([[PARKED_TOPIC, described]]) };
    await using loop = parkedLoop(undefined, undefined, { sink });
    feedUnfit(loop.world);
    await until(() => parkedIn(loop.session.batch.committed) !== undefined, "the table is parked");
    const notices = loop.world.log.filter((line) => line.startsWith("notice") && line.includes(PARKED_TOPIC));
    expect(notices).toEqual(told === undefined ? [] : [expect.stringContaining(told)]);
  },
);

describe("a table that was replaced", () => {
  const OTHER_OID = 6000;
  const otherRow = (at: bigint, key: string): WalItem => {
    const row = insert(at, key, "1");
    if (row.kind === "data") row.bytes.writeUInt32BE(OTHER_OID, 1);
    return row;
  };
  /** The other table has the name. */
  const lookAtOther = async () => ({ ...lookAt(lookedTable(OTHER_OID, CUSTOMERS)), end: lsn(1n) });
  const replaced = (more: Given = {}) => {
    const table = { ...tableOf([ID, N]), oid: tableOid(OTHER_OID) };
    const source = { table: async () => ({ table, snapshot: SEES_ALL, end: lsn(1n) }), look: lookAtOther };
    return running({ ...more, source }, publishingN());
  };

  it("waits for an operator: rows of the other one are passed over and counted, and the log is read on", async () => {
    await using loop = replaced();
    const rows = [otherRow(150n, "1"), otherRow(160n, "2")];
    loop.world.feed(...transaction(200n, relation([ID, N], { oid: OTHER_OID }), ...rows));
    await until(() => isReached(loop.world, "0/C8"), "the transaction is committed");
    expect(events(loop.world)).toEqual([]);
    expect(loop.session.batch.committed.tables.get(TOPIC)).toMatchObject({ replacementRows: 2 });
    expect(loop.world.alerted).toEqual([`${TOPIC}/table`]);
    post(loop.session, { input: release([`${TOPIC}/table`], { reason: "moved" }), nextCommand: 1n });
    await until(() => loop.session.control.state.jobs.has(`repair/${TOPIC}`), "all its rows are read");
    loop.world.feed(...transaction(300n, otherRow(250n, "3")));
    await until(() => isReached(loop.world, "0/12C"), "the next transaction");
    expect(ids(loop.world)).toEqual([3]);
    expect(loop.session.batch.committed.tables.get(TOPIC)?.replacementRows).toBeUndefined();
  });

  it.each([true, false])(
    "while it was parked: its parked changes are passed over once the other one is accepted (from memory: %s)",
    async (inMemory) => {
      const catalog: Catalog = { columns: [ID, BIG] };
      const first = parkedLoop(catalog);
      feedUnfit(first.world);
      await until(() => isReached(first.world, "0/C8"), "the transaction is committed");
      expect(parkedIn(first.session.batch.committed)).toMatchObject({ written: 2 });
      if (!inMemory) await first[Symbol.asyncDispose]();
      const other = { ...tableOf([ID, N]), oid: tableOid(OTHER_OID) };
      const source = { table: async () => ({ table: other, snapshot: SEES_ALL, end: lsn(1n) }), look: lookAtOther };
      await using loop = inMemory
        ? first
        : running(
            { source, rules: { "fieldgate.release.policy": "manual" } },
            { ...publishingN(), tables: first.session.batch.committed.tables },
          );
      if (inMemory) Object.assign(first.session.source, source);
      else {
        loop.world.commits.push(...first.world.commits);
        findBacklogs(loop.session);
      }
      const fromOther = [relation([ID, N], { oid: OTHER_OID }), otherRow(250n, "4")];
      loop.world.feed(...transaction(300n, ...fromOther));
      await until(() => isReached(loop.world, "0/12C"), "the other table is noticed");
      post(loop.session, { input: release([`${TOPIC}/table`], { reason: "moved" }), nextCommand: 1n });
      await until(() => parkedIn(loop.session.batch.committed) === undefined, "the table flows");
      loop.world.feed(...transaction(400n, otherRow(350n, "5")));
      await until(() => isReached(loop.world, "0/190"), "the next transaction");
      expect(ids(loop.world).filter((id) => id !== 1)).toEqual([5]);
      expect(loop.session.batch.committed.jobs.get(`repair/${TOPIC}`)?.state).toBe("running");
      const last = new Map(parkedRecords(loop.world.commits).map(({ key, value }) => [String(key), value]));
      expect([...last.values()]).toEqual([null, null]);
    },
  );

  it("halts the reading if its rows could not be read afterwards, because it has no key", async () => {
    const table = { ...tableOf([ID, N], false), oid: tableOid(OTHER_OID) };
    const source = { table: async () => ({ table, snapshot: SEES_ALL, end: lsn(1n) }) };
    await using loop = running({ source }, stateOf(publishing([ID, N], false)));
    loop.world.feed(...transaction(200n, relation([ID, N], { oid: OTHER_OID }), otherRow(150n, "1")));
    await until(() => loop.world.stops.length > 0, "the halt");
    expect(loop.world.stops).toEqual(["table-replaced"]);
  });
});

it("columns that the catalog does not explain are one table's trouble: its rows are passed over until it is accepted", async () => {
  // The catalog never had a third column.
  const strange = [ID, N, NICK];
  await using loop = parkedLoop({ columns: [ID, N] });
  loop.world.feed(...transaction(200n, relation(strange), insert(150n, "1", "2", "Al")));
  await until(() => isReached(loop.world, "0/C8"), "the transaction is committed");
  expect(events(loop.world)).toEqual([]);
  expect(loop.session.control.state.tables.get(TOPIC)?.amendments).toMatchObject([
    { kind: "table", gate: { reason: { kind: "columns-unexplained" } } },
  ]);
  post(loop.session, { input: release([`${TOPIC}/table`], { reason: "as it is" }), nextCommand: 1n });
  await until(() => loop.session.control.state.jobs.has(`repair/${TOPIC}`), "all its rows are read");
  loop.world.feed(...transaction(300n, relation([ID, N]), fits(250n, "3")));
  await until(() => isReached(loop.world, "0/12C"), "the next transaction");
  expect(ids(loop.world)).toEqual([3]);
});
