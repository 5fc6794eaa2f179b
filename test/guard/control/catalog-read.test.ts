import { describe, expect, it } from "vitest";
import { findAmendment } from "../../../src/gate/update.ts";
import {
  applyCatalogRead,
  completeCatalogRead,
  completeUnmarkedReads,
  dropPendingReads,
  noteUnseenLabels,
  startCatalogRead,
} from "../../../src/guard/control/catalog-read.ts";
import { apply } from "../../../src/guard/control/apply.ts";
import { attnum, type Column, type Table } from "../../../src/table/column.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import {
  column,
  ID,
  idOf,
  NAME,
  play,
  publishing,
  RULES,
  seen,
  stateOf,
  tableIn,
  tableOf,
  TOPIC,
  ZIP,
} from "../../gate/customers.ts";
import { until } from "../../stack/until.ts";
import { sessionIn, worldOf } from "../session.ts";

const OID = Number(tableOf([ID]).oid);
const SNAPSHOT = { xmin: 9n, xmax: 9n, inProgress: new Set<bigint>() };

/** A session at 0/64 whose catalog answers when the test lets it. The log ended at 0/32 when it was read. */
function reading(mode: "guard" | "watch", end = lsn(50n)) {
  let answer: (table: Table | undefined) => void = () => {};
  const world = worldOf({
    mode,
    source: {
      table: () => new Promise((resolve) => (answer = (table) => resolve({ table, snapshot: SNAPSHOT, end }))),
    },
  });
  const session = sessionIn(world);
  return {
    session,
    world,
    answer: async (table: Table | undefined) => {
      answer(table);
      for (let turns = 0; turns < 3; turns++) await Promise.resolve();
    },
    reachPlace: () => {
      if (mode === "watch") completeUnmarkedReads(session);
      else completeCatalogRead(session, "uuid-1");
    },
  };
}

describe.each(["guard", "watch"] as const)("a catalog read (%s)", (mode) => {
  it("describes the table at its position in the log", async () => {
    const { session, answer, reachPlace } = reading(mode);
    startCatalogRead(session, OID);
    await answer(tableOf([ID, NAME, ZIP]));
    expect(tableIn(session.control.state).amendments).toEqual([]);
    reachPlace();
    expect(tableIn(session.control.state).amendments).toMatchObject([{ name: "zip" }]);
  });

  it("is dropped when a DDL message describes the table while it is read", async () => {
    const { session, answer, reachPlace } = reading(mode);
    startCatalogRead(session, OID);
    dropPendingReads(session.control, OID);
    session.control.state = play(RULES, stateOf(publishing()), seen([ID, NAME, ZIP])).state;
    await answer(tableOf([ID, NAME]));
    reachPlace();
    expect(tableIn(session.control.state).amendments).toMatchObject([{ name: "zip" }]);
    expect([...session.control.catalog.latest]).toEqual([]);
  });

  it("is not started again while one is pending", async () => {
    const { session, answer, world } = reading(mode);
    startCatalogRead(session, OID);
    startCatalogRead(session, OID);
    expect(session.control.catalog.pending.size).toBe(1);
    await answer(tableOf([ID, NAME]));
    expect(world.marks).toEqual(mode === "watch" ? [] : ["catalog-read:uuid-1"]);
  });

  it("of a dropped table changes nothing", async () => {
    const { session, answer, reachPlace } = reading(mode);
    const { state } = session.control;
    startCatalogRead(session, OID);
    await answer(undefined);
    reachPlace();
    expect(session.control.catalog.pending.size).toBe(0);
    expect(session.control.state).toBe(state);
  });

  it("of the last table whose columns were not proven since the trigger was found makes the trigger count", async () => {
    const { session, answer, reachPlace } = reading(mode);
    const { ddl } = session.control;
    ddl.found = "new";
    ddl.unproven.add(OID).add(77);
    startCatalogRead(session, OID);
    await answer(tableOf([ID, NAME]));
    reachPlace();
    expect(ddl).toMatchObject({ complete: undefined, found: "new" });
    ddl.unproven.delete(77);
    startCatalogRead(session, OID);
    await answer(undefined);
    completeCatalogRead(session, "uuid-2");
    expect(ddl).toMatchObject({ complete: "new", found: undefined });
  });
});

it("without a mark, a read waits until the log has reached its position, and then for the end of a transaction", async () => {
  const { session, answer, reachPlace } = reading("watch", lsn(150n));
  const isKnown = () => findAmendment(session.control.state, idOf(ZIP)) !== undefined;
  startCatalogRead(session, OID);
  await answer(tableOf([ID, NAME, ZIP]));
  reachPlace();
  expect(isKnown()).toBe(false);
  session.tape.keepaliveEnd = lsn(150n);
  session.tape.tx = {
    finalLsn: lsn(160n),
    xid: 1,
    mark: { commitTime: 0n, xid: 1, lastCommitLsn: undefined },
    index: 0,
    skip: 0,
  };
  reachPlace();
  expect(isKnown()).toBe(false);
  session.tape.tx = undefined;
  reachPlace();
  expect(isKnown()).toBe(true);
});

it("a read that is older than one already applied changes nothing", () => {
  const { session } = reading("guard");
  applyCatalogRead(session, tableOf([ID, NAME, ZIP]), lsn(60n));
  const { state } = session.control;
  applyCatalogRead(session, tableOf([ID, NAME]), lsn(50n));
  expect(session.control.state).toBe(state);
});

it("a trigger that was found does not count while a row's newer read is all that is known of a table", async () => {
  const { session, answer } = reading("guard", lsn(70n));
  const { ddl, catalog } = session.control;
  ddl.found = "new";
  ddl.unproven.add(OID);
  catalog.latest.set(OID, { table: tableOf([ID, NAME]), end: lsn(60n) });
  applyCatalogRead(session, tableOf([ID, NAME]), lsn(50n));
  expect(ddl.complete).toBeUndefined();
  await answer(tableOf([ID, NAME]));
  completeCatalogRead(session, "uuid-1");
  expect(ddl.complete).toBe("new");
});

it("a table that was read at its position in the log is no longer explained by older DDL messages", () => {
  const { session } = reading("guard");
  session.control.catalog.explained.set(OID, tableOf([ID]));
  applyCatalogRead(session, tableOf([ID, NAME]), lsn(50n));
  expect(session.control.catalog.explained.size).toBe(0);
});

it("while columns are in doubt, a read that is too old for its position is followed by another", async () => {
  const { session, answer } = reading("guard", lsn(70n));
  session.control.state = stateOf({ ...publishing(), doubt: true });
  applyCatalogRead(session, tableOf([ID, NAME, ZIP]), lsn(60n));
  session.control.state = stateOf({ ...publishing(), doubt: true });
  applyCatalogRead(session, tableOf([ID, NAME]), lsn(50n));
  expect(session.control.catalog.pending.size).toBe(1);
  await answer(tableOf([ID, NAME, ZIP]));
  completeCatalogRead(session, "uuid-1");
  expect(tableIn(session.control.state).amendments).toMatchObject([{ name: "zip" }]);
});

describe("a label of a published row that its field does not list", () => {
  const mood = (...labels: readonly string[]): Column => ({
    ...column(2, "mood", "text"),
    type: { oid: 90_000, typmod: -1, detail: { kind: "enum", name: "mood", labels, ids: labels.map((_, at) => at) } },
  });
  const noting = (end: bigint, known: Column) => {
    const read = reading("guard", lsn(end));
    read.session.control.state = stateOf(publishing([ID, known]));
    noteUnseenLabels(
      read.session,
      tableIn(read.session.control.state),
      [{ attnum: attnum(2), label: "high" }],
      lsn(40n),
    );
    return read;
  };
  const repairs = ({ session }: ReturnType<typeof reading>) =>
    [...session.control.state.jobs.keys()].filter((id) => id.startsWith("repair/"));

  it.each([
    ["has been renamed if the catalog no longer has it, so the rows are published again", mood("low", "top"), 1],
    ["was added if the catalog has it", mood("low", "high"), 0],
    ["is of a column that is no longer an enum", column(2, "mood", "text"), 0],
  ] as const)("%s", async (_what, now, expected) => {
    const read = noting(50n, mood("low"));
    await read.answer(tableOf([ID, now]));
    read.reachPlace();
    expect(repairs(read)).toHaveLength(expected);
    expect(tableIn(read.session.control.state).unseen).toBeUndefined();
  });

  it("is judged by a read from after the row", async () => {
    const read = noting(30n, mood("low"));
    await read.answer(tableOf([ID, mood("low")]));
    read.reachPlace();
    expect(repairs(read)).toEqual([]);
    expect(read.session.control.catalog.pending.size).toBe(1);
  });

  it("causes no read while it only waits for the registry", () => {
    const { control } = noting(50n, mood("low", "high")).session;
    expect([control.catalog.pending.size, tableIn(control.state).unseen]).toEqual([0, undefined]);
  });
});

describe("with the DDL trigger, a catalog read at its mark", () => {
  const readingWithTrigger = () => {
    const { session, world, answer, reachPlace } = reading("guard");
    session.control.ddl.complete = "installed";
    startCatalogRead(session, OID);
    return { session, world, answer, reachPlace };
  };
  const reports = ({ log }: { readonly log: readonly string[] }) =>
    log.filter((line) => line.startsWith("notice:") && line.includes("without a message from the DDL trigger"));

  it.each([
    ["a column that no message has reported", [ID, NAME, ZIP]],
    ["a column that took the name of a dropped one", [ID, { ...NAME, attnum: attnum(3) }]],
    ["a new name that no message has reported", [ID, { ...NAME, name: "title" }]],
  ])("that shows %s ends the trust in the absence of messages, and people are alerted", async (_, columns) => {
    const { session, world, answer, reachPlace } = readingWithTrigger();
    await answer(tableOf(columns));
    reachPlace();
    expect(session.control.ddl.complete).toBeUndefined();
    expect(reports(world)).toHaveLength(1);
  });

  it.each<[string, (session: ReturnType<typeof sessionIn>) => void, readonly Column[]]>([
    ["the columns that were proven last", () => {}, [ID, NAME]],
    [
      "what a message has named without describing it",
      (session) => apply(session, { kind: "undescribed", topic: TOPIC }),
      [ID, NAME, ZIP],
    ],
  ])("that shows %s leaves it", async (_, before, columns) => {
    const { session, world, answer, reachPlace } = readingWithTrigger();
    before(session);
    await answer(tableOf(columns));
    reachPlace();
    expect(session.control.ddl.complete).toBe("installed");
    expect(reports(world)).toEqual([]);
  });

  it("is not made before the transaction of the table's last message is visible", async () => {
    const snapshots = [
      { ...SNAPSHOT, xmax: 30n, inProgress: new Set([20n]) },
      { ...SNAPSHOT, xmax: 30n },
    ];
    let reads = 0;
    const world = worldOf({
      source: {
        table: async () => ({ table: tableOf([ID, NAME]), snapshot: snapshots[reads++] ?? SNAPSHOT, end: lsn(50n) }),
      },
    });
    const session = sessionIn(world);
    session.control.catalog.described.set(OID, 20);
    startCatalogRead(session, OID);
    await until(() => world.marks.length > 0, "the read is made");
    expect(reads).toBe(2);
  });
});
