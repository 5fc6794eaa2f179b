import { describe, expect, it } from "vitest";
import { look, looked, overtaken, takeLooks } from "../../../src/guard/control/catalog-read.ts";
import type { Session } from "../../../src/guard/session.ts";
import type { Table } from "../../../src/table/column.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import { ID, NAME, play, publishing, RULES, seen, stateOf, tableIn, tableOf, ZIP } from "../../gate/customers.ts";

const OID = Number(tableOf([ID]).oid);

/** A session that reads the log at 0/100 and whose catalog answers when told to. */
function reading(mode: "guard" | "watch") {
  let answer: (table: Table) => void = () => {};
  const rules = { ...RULES, mode };
  const session = {
    outside: { uuid: () => "one", now: () => 0n, settings: rules },
    source: {
      table: () => new Promise((resolve) => (answer = (table) => resolve({ table, end: lsn(50n) }))),
      mark: async () => undefined,
    },
    wake: { wake: () => undefined },
    work: { judging: { has: () => true } },
    inbox: [],
    lookups: new Map(),
    looks: new Map(),
    relations: new Map(),
    toTell: new Set(),
    tx: undefined,
    keepaliveEnd: undefined,
    position: { endLsn: lsn(100n) },
    state: stateOf(),
  } as unknown as Session; // what a look needs of one
  return { session, answer: (table: Table) => answer(table) };
}

describe("a look at the catalog", () => {
  const modes = ["guard", "watch"] as const;

  it.each(modes)("says how the table is at its place in the log (%s)", async (mode) => {
    const { session, answer } = reading(mode);
    look(session, OID);
    answer(tableOf([ID, NAME, ZIP]));
    await Promise.resolve();
    await Promise.resolve();
    if (mode === "watch") takeLooks(session);
    else looked(session, "one");
    expect(tableIn(session.state).amendments).toMatchObject([{ name: "zip" }]);
  });

  it.each(modes)("that a DDL message overtook while it was read says nothing any more (%s)", async (mode) => {
    const { session, answer } = reading(mode);
    look(session, OID);
    overtaken(session, OID);
    session.state = play(RULES, stateOf(publishing()), seen([ID, NAME, ZIP])).state;
    answer(tableOf([ID, NAME]));
    await Promise.resolve();
    await Promise.resolve();
    if (mode === "watch") takeLooks(session);
    else looked(session, "one");
    expect(tableIn(session.state).amendments).toMatchObject([{ name: "zip" }]);
    expect([...session.looks]).toEqual([]);
  });
});
