import { describe, expect, it } from "vitest";
import { newJob } from "../../src/chunk/job.ts";
import { GuardError } from "../../src/errors.ts";
import type { PoisonPolicy } from "../../src/gate/poison-way.ts";
import type { State } from "../../src/gate/state.ts";
import { runLoop } from "../../src/guard/loop.ts";
import { post } from "../../src/guard/session.ts";
import type { TopicDescription } from "../../src/kafka/topics.ts";
import type { ChunkRead } from "../../src/postgres/chunk.ts";
import type { Column } from "../../src/table/column.ts";
import { lsn } from "../../src/wal/lsn.ts";
import type { WalItem } from "../../src/wal/message.ts";
import { type Sent, tupleData, UNCHANGED } from "../event/row.ts";
import { column, ID, publishing, release, stateOf, tableIn, tableOf, TOPIC } from "../gate/customers.ts";
import { until } from "../stack/until.ts";
import { DEAD_LETTERS, type Given, PARKED_TOPIC, sessionIn, stateRecords, type World, worldOf } from "./session.ts";
import { insert, mark, relation, transaction, update } from "./wal.ts";

const NUMERIC: Column = { ...column(2, "price", "text"), type: { oid: 1700, typmod: -1 }, typeName: "numeric" };
const REQUIRED: Column = { ...NUMERIC, notNull: true };
const LETTERS: TopicDescription = {
  partitions: 1,
  maxMessageBytes: 1000,
  cleanupPolicy: "delete",
  config: new Map(),
};
const SNAPSHOT = { xmin: 1_000_000n, xmax: 1_000_000n, inProgress: new Set<bigint>() };
const JOB = `snapshot/${TOPIC}`;

function running(
  policy: PoisonPolicy,
  second: Column = NUMERIC,
  given: Given = {},
  isRead = false,
  unfit: "park" | "stop" = "stop",
) {
  const created: string[] = [];
  const world = worldOf({
    settings: { "fieldgate.on.poison": policy, "fieldgate.on.unfit": unfit },
    ...given,
    sink: {
      createTopics: async (topics) => void created.push(...topics.map(({ name }) => name)),
      describeTopics: async (names) =>
        new Map(
          names.map((name) => [name, name === PARKED_TOPIC ? { ...LETTERS, cleanupPolicy: "compact" } : LETTERS]),
        ),
      ...given.sink,
    },
    source: {
      table: async () => ({ table: tableOf([ID, second]), snapshot: SNAPSHOT, end: lsn(1n) }),
      ...given.source,
    },
  });
  const table = stateOf(publishing([ID, second]));
  const state: State = isRead ? { ...table, jobs: new Map([[JOB, newJob(JOB, TOPIC, "snapshot")]]) } : table;
  const ending = new AbortController();
  const session = sessionIn(world, state, ending);
  const ended = runLoop(session).catch(() => {});
  return {
    world,
    session,
    created,
    async [Symbol.asyncDispose]() {
      ending.abort(new Error("the test is over"));
      session.waker.wake();
      await ended;
    },
  };
}

function records({ commits }: World, topic: string) {
  return commits.flat().filter((record) => record.topic === topic);
}

/** The keys of events, in order; `x` follows a tombstone's. */
const keys = (world: World) =>
  records(world, TOPIC).map(({ key, value }) => `${Number(key?.at(-1)) / 2}${value === null ? "x" : ""}`);

function letters(world: World) {
  return records(world, DEAD_LETTERS).map(({ value }) => {
    const line = value?.toString("utf8", 0, value.indexOf("\n")) ?? "";
    return JSON.parse(line) as Record<string, unknown>; // an object, as letterRecord writes it
  });
}

const isReached = (world: World, end: string) =>
  stateRecords(world.commits).some(({ key, value }) => key === "position" && value?.includes(`"endLsn":"${end}"`));

async function feed({ world }: ReturnType<typeof running>, second: Column, ...rows: readonly WalItem[]) {
  world.feed(...transaction(200n, relation([ID, second]), ...rows));
  await until(() => isReached(world, "0/C8") || world.stops.length > 0, "the transaction is over, or waits");
}

describe("fieldgate.on.poison=dead-letter", () => {
  const MIXED = [insert(150n, "1", "1.5"), insert(160n, "2", "NaN"), update(170n, ["1", "2"])];

  it("writes the change to the dead letters in the transaction of its neighbours, and counts it there", async () => {
    await using loop = running("dead-letter");
    await feed(loop, NUMERIC, ...MIXED);
    expect(keys(loop.world)).toEqual(["1", "1"]);
    expect(letters(loop.world)).toMatchObject([
      {
        topic: TOPIC,
        op: "c",
        key: { id: "2" },
        code: "value-unfit",
        field: "price",
        lsn: "0/A0",
        published: "nothing",
      },
    ]);
    const commit = loop.world.commits.find((one) => one.some(({ topic }) => topic === DEAD_LETTERS));
    const table = stateRecords(commit === undefined ? [] : [commit]).find(({ key }) => key === `table/${TOPIC}`);
    expect(table?.value).toContain('"dead-letter":1');
    expect(loop.created).toEqual([DEAD_LETTERS]);
    expect(loop.world.stops).toEqual([]);
  });

  it("may hold for one table alone, and another table may differ from it", async () => {
    const settings = { "fieldgate.on.unfit": "park" } as const;
    const poisonOf = new Map([[TOPIC, "dead-letter" as const]]);
    await using own = running("park", NUMERIC, { settings: { ...settings, "fieldgate.on.poison": "park", poisonOf } });
    await feed(own, NUMERIC, ...MIXED);
    expect(letters(own.world)).toHaveLength(1);
    const other = new Map([["inventory.public.orders", "dead-letter" as const]]);
    await using none = running("park", NUMERIC, {
      settings: { ...settings, "fieldgate.on.poison": "park", poisonOf: other },
    });
    await feed(none, NUMERIC, ...MIXED);
    expect(letters(none.world)).toEqual([]);
    expect(tableIn(none.session.control.state).poison?.stuck).toBeDefined();
  });

  it("reports them to people once, without the value", async () => {
    await using loop = running("dead-letter");
    await feed(loop, NUMERIC, ...MIXED, insert(180n, "3", "Infinity"));
    await until(() => tableIn(loop.session.control.state).poison?.reported !== undefined, "it was reported");
    const lines = loop.world.log.filter((line) => line.includes("fit no event"));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe(
      `2 changes of public.customers fit no event: 2 in the dead letters (${DEAD_LETTERS}); the last one: field price, value-unfit at 0/B4`,
    );
  });

  it("removes a row that moved from its old key", async () => {
    await using loop = running("dead-letter");
    await feed(loop, NUMERIC, insert(150n, "1", "1.5"), update(160n, ["2", "NaN"], ["1", null]));
    expect(keys(loop.world)).toEqual(["1", "1", "1x"]);
    expect(letters(loop.world)).toMatchObject([{ op: "u", key: { id: "2" }, published: "removal" }]);
  });

  it("takes a change that its topic does not take, without its bytes if they do not fit there either", async () => {
    const limitBrokenBy = ({ topic, value }: { readonly topic: string; readonly value: Buffer | null }) => {
      const limit = topic === DEAD_LETTERS ? 1000 : 300;
      return (value?.length ?? 0) > limit ? limit : undefined;
    };
    const NAME = column(2, "name", "text");
    await using loop = running("dead-letter", NAME, { writer: { limitBrokenBy } });
    await feed(loop, NAME, insert(150n, "1", "a".repeat(400)), insert(160n, "2", "b".repeat(2000)));
    expect(letters(loop.world)).toMatchObject([
      { code: "record-too-large", key: { id: "1" } },
      { code: "record-too-large", key: { id: "2" }, bytes: 0 },
    ]);
    expect(keys(loop.world)).toEqual([]);
  });

  it("notes a row too large to be read by its place", async () => {
    await using loop = running("dead-letter");
    const large: WalItem = { kind: "oversize", lsn: lsn(160n), bytes: 400_000_000, relation: 5000 };
    await feed(loop, NUMERIC, insert(150n, "1", "1"), large, insert(170n, "3", "3"));
    expect(letters(loop.world)).toMatchObject([{ code: "record-too-large", key: null, lsn: "0/A0", bytes: 0 }]);
    expect(keys(loop.world)).toEqual(["1", "3"]);
  });

  it.each<readonly [string, Partial<Given["sink"]>, RegExp]>([
    [
      "may not be created",
      { createTopics: () => Promise.reject(new GuardError("kafka-refused", "no right")) },
      /no right/,
    ],
    [
      "is compacted",
      {
        describeTopics: async (names) => new Map(names.map((name) => [name, { ...LETTERS, cleanupPolicy: "compact" }])),
      },
      /is compacted/,
    ],
  ])("waits for an operator where the topic %s", async (_, sink, message) => {
    await using loop = running("dead-letter", NUMERIC, { sink: sink ?? {} });
    await feed(loop, NUMERIC, insert(150n, "1", "NaN"));
    expect(loop.world.statuses.at(-1)).toMatchObject({ kind: "stopped", message: expect.stringMatching(message) });
    expect(letters(loop.world)).toEqual([]);
  });
});

describe("fieldgate.on.poison=null-and-alert", () => {
  it("publishes null in an optional field, and counts it", async () => {
    await using loop = running("null-and-alert");
    await feed(loop, NUMERIC, insert(150n, "1", "NaN"), insert(160n, "2", "2"));
    expect(keys(loop.world)).toEqual(["1", "2"]);
    expect(loop.session.batch.committed.tables.get(TOPIC)?.poison?.counts).toEqual({ null: 1, "dead-letter": 0 });
    expect(loop.created).toEqual([]);
  });

  it("waits where the field is required, and says why", async () => {
    await using loop = running("null-and-alert", REQUIRED);
    await feed(loop, REQUIRED, insert(150n, "1", "NaN"));
    expect(loop.world.statuses.at(-1)).toMatchObject({
      kind: "stopped",
      code: "value-unfit",
      next: expect.stringMatching(
        /^null is not possible: the field is required\. fieldgate release \S+\/row --as dead-letter/,
      ),
    });
  });
});

describe("fieldgate.on.poison=park", () => {
  const ROW = `${TOPIC}/row`;

  it("waits, names the commands, and each lets the change past", async () => {
    for (const as of ["null", "dead-letter"] as const) {
      await using loop = running("park");
      await feed(loop, NUMERIC, insert(150n, "1", "1"), insert(160n, "2", "NaN"), insert(170n, "3", "3"));
      expect(loop.world.statuses.at(-1)).toMatchObject({
        code: "value-unfit",
        next: expect.stringContaining(
          `fieldgate release ${ROW} --as null --reason "…"; or: fieldgate release ${ROW} --as dead-letter`,
        ),
      });
      expect(keys(loop.world)).toEqual(["1"]);
      post(loop.session, { input: release([ROW], { as, reason: "the import" }), nextCommand: 1n });
      await until(() => isReached(loop.world, "0/C8"), "the transaction is over");
      expect(keys(loop.world)).toEqual(as === "null" ? ["1", "2", "3"] : ["1", "3"]);
      expect(letters(loop.world)).toHaveLength(as === "null" ? 0 : 1);
      expect(loop.session.batch.committed.outcomes.get("c1")).toEqual({
        kind: "done",
        done: { kind: "row-settled", way: as },
      });
      expect(tableIn(loop.session.control.state).poison).toMatchObject({ stuck: undefined });
    }
  });

  it("waits again at the next such change", async () => {
    await using loop = running("park");
    await feed(loop, NUMERIC, insert(150n, "1", "NaN"), insert(150n, "2", "NaN"));
    post(loop.session, { input: release([ROW], { as: "null", reason: "the import" }), nextCommand: 1n });
    await until(() => loop.session.batch.committed.outcomes.has("c1"), "the command has an outcome");
    await until(() => loop.world.stops.length === 2, "it waits again");
    expect(keys(loop.world)).toEqual(["1"]);
    expect(loop.session.batch.committed.outcomes.get("c1")).toMatchObject({ kind: "done" });
  });

  it("a command that was committed is carried out after a crash", async () => {
    await using first = running("park");
    await feed(first, NUMERIC, insert(150n, "1", "NaN"));
    const ordered = { ...first.session.control.state };
    const poison = tableIn(ordered).poison;
    const order = { way: "dead-letter", actor: "anna", reason: "the import", command: "c1" } as const;
    const stuck = poison?.stuck === undefined ? undefined : { ...poison.stuck, order };
    expect(stuck).toBeDefined();
    const world = worldOf({
      sink: { describeTopics: async (names) => new Map(names.map((name) => [name, LETTERS])) },
      source: { table: async () => ({ table: tableOf([ID, NUMERIC]), snapshot: SNAPSHOT, end: lsn(1n) }) },
    });
    const ending = new AbortController();
    const table = { ...publishing([ID, NUMERIC]), poison: { counts: { null: 0, "dead-letter": 0 }, stuck } };
    const outcomes = new Map([["c1", { kind: "pending", ids: [ROW] } as const]]);
    const session = sessionIn(world, { ...stateOf(table), outcomes }, ending);
    const ended = runLoop(session).catch(() => {});
    world.feed(...transaction(200n, relation([ID, NUMERIC]), insert(150n, "1", "NaN")));
    await until(() => letters(world).length === 1, "the dead letter is written");
    expect(letters(world)).toMatchObject([{ decided: { by: "operator", actor: "anna", reason: "the import" } }]);
    ending.abort(new Error("the test is over"));
    session.waker.wake();
    await ended;
  });
});

describe("a parked table", () => {
  const ROW = `${TOPIC}/row`;
  const parked = (policy: PoisonPolicy = "park", second: Column = NUMERIC) =>
    running(policy, second, {}, false, "park");
  const waits = ({ session }: ReturnType<typeof running>) =>
    session.batch.committed.tables.get(TOPIC)?.poison?.stuck?.at.startsWith("parked ") === true;
  const isParked = ({ session }: ReturnType<typeof running>) =>
    session.batch.committed.tables.get(TOPIC)?.parked !== undefined;

  it.each([
    ["null", ["1", "2", "3"], 0],
    ["dead-letter", ["1", "3"], 1],
  ] as const)("goes on by release --as %s, which it names, in the order of the log", async (as, expected, count) => {
    await using loop = parked();
    await feed(loop, NUMERIC, insert(150n, "1", "1"), insert(160n, "2", "NaN"), insert(170n, "3", "3"));
    await until(() => waits(loop), "the first parked change waits");
    expect(tableIn(loop.session.control.state).parked?.why.next).toContain(`fieldgate release ${ROW} --as ${as}`);
    expect(keys(loop.world)).toEqual(["1"]);
    post(loop.session, { input: release([ROW], { as, reason: "the import" }), nextCommand: 1n });
    await until(() => !isParked(loop), "the table flows again");
    expect(keys(loop.world)).toEqual(expected);
    expect(letters(loop.world)).toHaveLength(count);
    expect(loop.session.batch.committed.outcomes.get("c1")).toMatchObject({ done: { kind: "row-settled", way: as } });
    expect(tableIn(loop.session.control.state).poison?.stuck).toBeUndefined();
    expect(loop.world.stops).toEqual([]);
  });

  it("names REPLICA IDENTITY FULL where the value is not in the log", async () => {
    await using loop = parked();
    await feed(loop, NUMERIC, insert(150n, "1", "1"), update(160n, ["1", UNCHANGED]));
    await until(() => waits(loop), "the first parked change waits");
    const { why } = tableIn(loop.session.control.state).parked ?? {};
    expect(why?.next).toMatch(/--as null .* for later changes: ALTER TABLE .* REPLICA IDENTITY FULL/);
  });

  it("waits again at the next such change", async () => {
    await using loop = parked();
    await feed(loop, NUMERIC, insert(150n, "1", "NaN"), insert(160n, "2", "NaN"), insert(170n, "3", "3"));
    for (const [index, as] of (["null", "dead-letter"] as const).entries()) {
      await until(() => waits(loop), "a parked change waits");
      const command = `c${index}`;
      post(loop.session, { input: release([ROW], { id: command, as, reason: "NaN" }), nextCommand: BigInt(index + 1) });
      await until(() => loop.session.batch.committed.outcomes.get(command)?.kind === "done", "the command is done");
    }
    await until(() => !isParked(loop), "the table flows again");
    expect(keys(loop.world)).toEqual(["1", "3"]);
    expect(letters(loop.world)).toMatchObject([{ op: "c", key: { id: "2" }, decided: { by: "operator" } }]);
  });

  it("under null-and-alert waits where null is not possible, and the rest of the row is in the dead letter", async () => {
    await using loop = parked("null-and-alert", REQUIRED);
    await feed(loop, REQUIRED, insert(150n, "1", "1"), update(160n, ["2", "NaN"], ["1", null]), insert(170n, "3", "3"));
    await until(() => waits(loop), "the first parked change waits");
    post(loop.session, { input: release([ROW], { as: "dead-letter", reason: "NaN" }), nextCommand: 1n });
    await until(() => !isParked(loop), "the table flows again");
    expect(keys(loop.world)).toEqual(["1", "1", "1x", "3"]);
    expect(letters(loop.world)).toMatchObject([{ op: "u", key: { id: "2" }, published: "removal", field: "price" }]);
  });

  it("of which a row was too large to be read goes on without it", async () => {
    await using loop = parked();
    const large: WalItem = { kind: "oversize", lsn: lsn(160n), bytes: 400_000_000, relation: 5000 };
    await feed(loop, NUMERIC, insert(150n, "1", "1"), large, insert(170n, "3", "3"));
    await until(() => waits(loop), "the first parked change waits");
    expect(tableIn(loop.session.control.state).poison?.stuck?.ways).toEqual(["dead-letter"]);
    post(loop.session, { input: release([ROW], { as: "dead-letter", reason: "too large" }), nextCommand: 1n });
    await until(() => !isParked(loop), "the table flows again");
    expect(keys(loop.world)).toEqual(["1", "3"]);
    expect(letters(loop.world)).toMatchObject([{ code: "record-too-large", lsn: "0/A0", key: null }]);
  });
});

describe("a chunk with rows that no event can carry", () => {
  const ROWS: readonly (readonly Sent[])[] = [
    ["1", "1"],
    ["2", "NaN"],
    ["3", "3"],
    ["4", "Infinity"],
  ];
  /** Reads what follows the cursor, as PostgreSQL does. */
  const reading = (policy: PoisonPolicy, unfit: "park" | "stop" = "stop") =>
    running(
      policy,
      NUMERIC,
      {
        source: {
          chunk: async ({ after }): Promise<ChunkRead> => {
            const rows = ROWS.filter(([id]) => Number(id) > Number(after?.[0] ?? 0));
            const last = rows.at(-1)?.[0];
            return {
              kind: "rows",
              snapshot: SNAPSHOT,
              table: tableOf([ID, NUMERIC]),
              end: lsn(1n),
              rows: rows.map(tupleData),
              last: typeof last === "string" ? [last] : undefined,
              order: "1:23",
              done: true,
              scanned: rows.length,
            };
          },
        },
      },
      true,
      unfit,
    );
  let end = 0n;
  const window = async ({ world }: ReturnType<typeof running>, count: number) => {
    const written = () => world.marks.filter((one) => one.startsWith("high:"));
    await until(() => written().length >= count, "the high mark is written");
    const nonce =
      written()
        .at(count - 1)
        ?.slice("high:".length) ?? "";
    end += 20n;
    world.feed(...transaction(300n + end, mark(`low:${nonce}`)), ...transaction(310n + end, mark(`high:${nonce}`)));
  };
  const isDone = ({ session }: ReturnType<typeof running>) => session.batch.committed.jobs.get(JOB)?.state === "done";

  it.each([
    ["dead-letter", ["1", "3"], 2],
    ["null-and-alert", ["1", "2", "3", "4"], 0],
  ] as const)("under %s is published, each of them as the file says", async (policy, expected, count) => {
    await using loop = reading(policy);
    await window(loop, 1);
    await until(() => isDone(loop), "the job is done");
    expect(keys(loop.world)).toEqual(expected);
    expect(letters(loop.world)).toHaveLength(count);
    expect(letters(loop.world).every(({ op }) => op === "r")).toBe(true);
    expect(loop.session.batch.committed.jobs.get(JOB)).toMatchObject({ rows: expected.length, scanned: 4 });
  });

  it("waits at the first of them, publishes the rows before it, and goes on by one command for each", async () => {
    await using loop = reading("park");
    await window(loop, 1);
    await until(() => loop.world.stops.length === 1, "it waits");
    expect(keys(loop.world)).toEqual(["1"]);
    post(loop.session, { input: release([`${TOPIC}/row`], { as: "null", reason: "the import" }), nextCommand: 1n });
    await window(loop, 2);
    await until(() => loop.world.stops.length === 2, "it waits again");
    expect(keys(loop.world)).toEqual(["1", "2", "3"]);
    expect(loop.session.batch.committed.outcomes.get("c1")).toMatchObject({ kind: "done" });
    const letter = { id: "c2", as: "dead-letter", reason: "the import" } as const;
    post(loop.session, { input: release([`${TOPIC}/row`], letter), nextCommand: 2n });
    await window(loop, 3);
    await until(() => isDone(loop), "the job is done");
    expect(keys(loop.world)).toEqual(["1", "2", "3"]);
    expect(letters(loop.world)).toMatchObject([{ key: { id: "4" } }]);
    expect(loop.session.batch.committed.jobs.get(JOB)).toMatchObject({ rows: 3, scanned: 4 });
  });

  it("under fieldgate.on.unfit=park only its job waits: changes flow, and each command lets it go on", async () => {
    await using loop = reading("park", "park");
    const { world, session } = loop;
    await window(loop, 1);
    const waits = () => session.batch.committed.jobs.get(JOB)?.stuck;
    await until(() => waits() !== undefined, "the job waits");
    expect(keys(world)).toEqual(["1"]);
    expect(waits()?.next).toContain(`fieldgate release ${TOPIC}/row --as null`);
    world.feed(...transaction(900n, relation([ID, NUMERIC]), insert(890n, "9", "9")));
    await until(() => keys(world).includes("9"), "a change flows");
    end = 700n;
    for (const [index, as] of (["null", "dead-letter"] as const).entries()) {
      const command = `c${index}`;
      const input = release([`${TOPIC}/row`], { id: command, as, reason: "NaN" });
      post(session, { input, nextCommand: BigInt(index + 1) });
      await window(loop, index + 2);
      await until(() => session.batch.committed.outcomes.get(command)?.kind === "done", "the command is done");
    }
    await until(() => isDone(loop), "the job is done");
    expect(keys(world)).toEqual(["1", "9", "2", "3"]);
    expect(letters(world)).toMatchObject([{ op: "r", key: { id: "4" } }]);
    expect(waits()).toBeUndefined();
    expect(world.stops).toEqual([]);
    expect(world.log.filter((line) => line.startsWith("notice:") && line.includes("waits"))).toHaveLength(2);
  });

  it("passes a row too large to be read, and reads on after it", async () => {
    const reads: ChunkRead[] = [
      { kind: "too-large", snapshot: SNAPSHOT, bytes: 99_000_000, key: ["2"], order: "1:23" },
    ];
    const after: unknown[] = [];
    await using loop = running(
      "dead-letter",
      NUMERIC,
      {
        source: {
          chunk: async (request) => {
            after.push(request.after);
            const rest = { last: undefined, order: "1:23", done: true, scanned: 0 };
            return (
              reads.shift() ?? {
                kind: "rows",
                snapshot: SNAPSHOT,
                table: tableOf([ID, NUMERIC]),
                end: lsn(1n),
                rows: [],
                ...rest,
              }
            );
          },
        },
      },
      true,
    );
    await window(loop, 1);
    await window(loop, 2);
    await until(() => isDone(loop), "the job is done");
    expect(after).toEqual([undefined, ["2"]]);
    expect(letters(loop.world)).toMatchObject([{ op: "r", code: "record-too-large", key: { id: "2" }, bytes: 0 }]);
  });
});
