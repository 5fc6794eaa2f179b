import { describe, expect, it } from "vitest";
import type { Column } from "../../../src/table/column.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import { column, ID, NAME, NICK, publishing, stateOf, tableOf, TOPIC } from "../../gate/customers.ts";
import { until } from "../../stack/until.ts";
import { events, isReached, running } from "../running.ts";
import { insert, mark, relation, transaction } from "../wal.ts";

const OID = Number(tableOf([ID]).oid);
const SNAPSHOT = { xmin: 1_000_000n, xmax: 1_000_000n, inProgress: new Set<bigint>() };
/** Dropped and added again after the rows of these tests were written: the catalog leaves a doubt about them. */
const NOW = tableOf([ID, NAME, column(4, "nick", "text")]);

/** A loop that knows id, name and nick, with a DDL trigger that has been in place since. */
function loopWith(more: { readonly undescribed?: boolean; readonly trigger?: string; readonly nick?: Column } = {}) {
  const { undescribed, trigger = "as before", nick = NICK } = more;
  const loop = running(
    {
      source: {
        table: async () => ({ table: NOW, snapshot: SNAPSHOT, end: lsn(900n) }),
        triggerIdentity: async () => trigger,
      },
    },
    stateOf({ ...publishing([ID, NAME, nick]), undescribed }),
  );
  loop.session.control.ddl.complete = "as before";
  return loop;
}

async function columnsOfRow(loop: ReturnType<typeof loopWith>) {
  loop.world.feed(...transaction(200n, relation([ID, NAME, NICK]), insert(150n, "1", "Ann", "Annie")));
  await until(() => events(loop.world).length === 1, "the row is published");
  return loop.session.tape.relations.get(OID)?.columns;
}

it("a Relation that did not change is proven, because the trigger has reported nothing", async () => {
  await using loop = loopWith();
  expect(await columnsOfRow(loop)).toEqual([1, 2, 3]);
});

describe("a row whose required column cannot be identified", () => {
  const required = { ...NICK, notNull: true, defaultExpr: "'none'::text" };
  const row = transaction(200n, relation([ID, NAME, NICK]), insert(150n, "1", "Ann", "Annie"));

  it("is parked, and never published with the column's default", async () => {
    await using loop = loopWith({ nick: required, trigger: "another" });
    loop.world.feed(...row);
    await until(() => isReached(loop.world, "0/C8"), "the transaction is committed");
    expect(events(loop.world)).toEqual([]);
    expect(loop.session.batch.committed.tables.get(TOPIC)?.parked).toMatchObject({
      written: 1,
      why: { code: "value-unfit", field: "nick" },
    });
  });

  it("flows without the value once the column's drop is released, and all rows are published again", async () => {
    await using loop = loopWith({ nick: required, trigger: "another" });
    loop.world.feed(...row);
    await until(() => isReached(loop.world, "0/C8"), "the transaction is committed");
    await until(() => {
      for (const content of loop.world.marks.splice(0)) loop.world.feed(...transaction(950n, mark(content)));
      return loop.session.batch.committed.tables.get(TOPIC)?.parked === undefined;
    }, "the table flows again");
    expect(events(loop.world).map(({ value }) => String(value).includes("none"))).toEqual([false]);
    const { jobs, tables } = loop.session.batch.committed;
    expect(jobs.get(`repair/${TOPIC}`)).toMatchObject({ due: "all" });
    expect(tables.get(TOPIC)?.amendments.find(({ id }) => id === `${TOPIC}/3`)?.gate.kind).toBe("released");
  });
});

it("a Relation that did not change is proven while a look's catalog read of the table is pending", async () => {
  await using loop = loopWith();
  loop.session.control.catalog.pending.set("of-a-look", { oid: OID, found: undefined, schemas: undefined });
  expect(await columnsOfRow(loop)).toEqual([1, 2, 3]);
});

it("a trigger that has been replaced proves nothing", async () => {
  await using loop = loopWith({ trigger: "another" });
  expect(await columnsOfRow(loop)).toEqual([1, 2, undefined]);
});

it("the absence of messages proves nothing after one that did not describe the table, not even after a restart", async () => {
  await using loop = loopWith({ undescribed: true });
  expect(await columnsOfRow(loop)).toEqual([1, 2, undefined]);
});

describe("a column that is renamed while columns beside it are dropped and added", () => {
  const [b, c] = [column(3, "b", "text"), column(4, "c", "text")];
  /** Dropped since: 2 and 4. Added since: 5 and 6. */
  const now = (name: string, version: string) =>
    tableOf([ID, column(3, name, "text", { version }), column(5, "c", "text"), column(6, "x", "text")]);
  const columnsOf = async (catalog: ReturnType<typeof now>, written: readonly Column[]) => {
    const table = { ...publishing([ID, NAME, b, c]), defined: { 3: { version: "700", since: "0/64" } } };
    const source = { table: async () => ({ table: catalog, snapshot: SNAPSHOT, end: lsn(900n) }) };
    await using loop = running({ source }, stateOf(table));
    loop.world.feed(...transaction(200n, relation(written), insert(150n, "1", "3", "4", "5")));
    await until(() => isReached(loop.world, "0/C8"), "the transaction is committed");
    return loop.session.tape.relations.get(OID)?.columns;
  };
  const written = [ID, column(3, "c", "text"), column(4, "b", "text"), column(5, "e", "text")];

  it("is left in doubt, because it may have had the names of other columns in between", async () => {
    expect(await columnsOf(now("e", "701"), written)).toEqual([1, undefined, undefined, undefined]);
  });

  it("is identified if its definition has not changed since before the row", async () => {
    const kept = [ID, b, column(4, "y", "text"), column(5, "e", "text")];
    expect(await columnsOf(now("b", "700"), kept)).toEqual([1, 3, undefined, undefined]);
  });
});

describe("a row without columns that have been dropped since", () => {
  const sent = (published: string) => ({ kind: "sent", published, attached: [] }) as const;
  const now = { ...tableOf([ID]), maxAttnum: NICK.attnum };
  const loopSince = (before: ReturnType<typeof sent> | undefined, hasTrigger = true) => {
    const loop = running(
      {
        source: {
          table: async () => ({ table: now, snapshot: SNAPSHOT, end: lsn(900n) }),
          triggerIdentity: async () => "as before",
        },
      },
      stateOf({ ...publishing([ID, NAME, NICK]), sent: before }),
    );
    loop.session.control.ddl.complete = hasTrigger ? "as before" : undefined;
    return loop;
  };
  const row = transaction(200n, relation([ID]), insert(150n, "1"));
  const gateOf = (loop: ReturnType<typeof loopSince>) =>
    loop.session.control.state.tables.get(TOPIC)?.amendments.find(({ kind }) => kind === "table")?.gate.reason.kind;

  it("is published if the publication has sent the table all the time", async () => {
    await using loop = loopSince(undefined);
    loop.world.feed(...row);
    await until(() => events(loop.world).length === 1, "the row is published");
    expect(gateOf(loop)).toBeUndefined();
  });

  it("is passed over if the publication may have left out the columns, because a null could stand for a value", async () => {
    await using loop = loopSince(sent("an earlier entry of the table"));
    loop.world.feed(...row);
    await until(() => isReached(loop.world, "0/C8"), "the transaction is committed");
    expect(events(loop.world)).toEqual([]);
    expect(gateOf(loop)).toBe("columns-not-sent");
  });

  it("is published without the trigger, because passing it over could lose the delete of a row", async () => {
    await using loop = loopSince(sent("an earlier entry of the table"), false);
    loop.world.feed(...row);
    await until(() => events(loop.world).length === 1, "the row is published");
    expect(gateOf(loop)).toBeUndefined();
  });

  it("is published if a DDL message says that it has these columns, whatever the publication did", async () => {
    await using loop = loopSince(sent("an earlier entry of the table"));
    loop.session.control.catalog.explained.set(now.oid, now);
    loop.world.feed(...row);
    await until(() => events(loop.world).length === 1, "the row is published");
    expect(gateOf(loop)).toBeUndefined();
  });
});

describe("a row of a table that was dropped since", () => {
  const columnsOf = async (known: readonly Column[], assigned: number | undefined, written: readonly Column[]) => {
    const table = { ...publishing([ID, NAME]), known: known.map(({ attnum, name, type }) => ({ attnum, name, type })) };
    const source = { table: async () => ({ table: undefined, snapshot: SNAPSHOT, end: lsn(900n) }) };
    await using loop = running({ source }, stateOf({ ...table, assigned }));
    const values = ["1", "Ann", "Annie"].slice(0, written.length);
    loop.world.feed(...transaction(200n, relation(written), insert(150n, ...values)));
    await until(() => isReached(loop.world, "0/C8"), "the transaction is committed");
    return loop.session.tape.relations.get(OID)?.columns;
  };

  it("may have new columns in the place of those that were known", async () => {
    expect(await columnsOf([ID, NAME], 2, [ID, NAME, NICK])).toEqual([undefined, undefined, undefined]);
  });

  it("may have any columns if none was known yet", async () => {
    expect(await columnsOf([], undefined, [ID, NAME, NICK])).toEqual([undefined, undefined, undefined]);
    expect(await columnsOf([], 5, [ID, NAME, NICK])).toEqual([undefined, undefined, undefined]);
  });

  it("may have a new column where one was known, also if more attnums were assigned than columns were known", async () => {
    expect(await columnsOf([ID, NAME], 10, [ID, NICK])).toEqual([undefined, undefined]);
  });
});

it("a row does not wait for the registry's answer about a column that earlier rows did not have", async () => {
  const ALL = tableOf([ID, NAME, NICK]);
  const source = { table: async () => ({ table: ALL, snapshot: SNAPSHOT, end: lsn(1n) }) };
  const rules = { "fieldgate.release.policy": "manual" } as const;
  const before = running({ source, rules }, stateOf(publishing([ID, NAME])));
  before.world.feed(...transaction(200n, relation([ID, NAME, NICK]), insert(150n, "1", "Ann", "Annie")));
  await until(() => isReached(before.world, "0/C8"), "the row is published without it");
  await before[Symbol.asyncDispose]();
  let isAsked = false;
  const check = async () => {
    isAsked = true;
    return new Promise<never>(() => {});
  };
  await using after = running({ source, rules, registry: { check } }, before.session.control.state);
  await until(() => isAsked, "the registry is asked again");
  after.world.feed(...transaction(300n, relation([ID, NAME, NICK]), insert(250n, "2", "Bob", "Bobby")));
  // The clock of this world stands still: a wait for the answer would have no end.
  await until(() => isReached(after.world, "0/12C"), "the next row is published");
  expect(String(events(after.world)[0]?.value)).toContain("Bob");
});
