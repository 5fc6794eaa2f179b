import { describe, expect, it } from "vitest";
import type { State } from "../../../src/gate/state.ts";
import type { Source } from "../../../src/guard/outside.ts";
import type { Table } from "../../../src/table/column.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import { ID, NAME, stateOf, tableOf, TOPIC } from "../../gate/customers.ts";
import { until } from "../../stack/until.ts";
import { events, isReached, running } from "../running.ts";
import type { Given } from "../session.ts";
import { insert, mark, relation, transaction } from "../wal.ts";

const NO_TABLES: State = { ...stateOf(), tables: new Map() };
/** A table that was never rewritten has the file that it was created with. */
const CREATED: Table = { ...tableOf([ID, NAME]), filenode: 5000 };

/** A catalog that shows the new table from this read on. */
function catalog(visibleAt: number): Pick<Source, "table"> & { reads: number } {
  const none = { xmin: 1n, xmax: 1n, inProgress: new Set<bigint>() };
  const all = { xmin: 1_000_000n, xmax: 1_000_000n, inProgress: new Set<bigint>() };
  const source = {
    reads: 0,
    table: async () => {
      source.reads += 1;
      const isVisible = source.reads >= visibleAt;
      return { table: isVisible ? CREATED : undefined, snapshot: isVisible ? all : none, end: lsn(1n) };
    },
  };
  return source;
}

/** A session that began before the table was created. */
function runningBefore(given: Given) {
  const loop = running(given, NO_TABLES);
  const { looks } = loop.session.control;
  looks.seen.clear();
  looks.passedBy.clear();
  return loop;
}

describe("a new table whose rows arrive before its transaction is visible", () => {
  const rows = transaction(200n, relation([ID, NAME]), insert(150n, "1", "Ann"), insert(160n, "2", "Bob"));

  it("is captured with its first rows as soon as the catalog shows it", async () => {
    await using loop = runningBefore({ source: catalog(4) });
    loop.world.feed(...rows);
    await until(() => isReached(loop.world, "0/C8"), "the transaction is committed");
    expect(events(loop.world)).toHaveLength(2);
    expect(loop.session.control.state.jobs.size).toBe(0);
  });

  it("is left out with a warning after a while, and a later look captures it with a snapshot of all its rows", async () => {
    const source = catalog(1000);
    await using loop = runningBefore({ source, settings: { "snapshot.mode": "initial" } });
    const { looks } = loop.session.control;
    loop.world.feed(...rows);
    await until(() => looks.left.size > 0, "the table is left out");
    expect(loop.world.log.join("\n")).toContain("public.customers is not captured");
    source.reads = 1000;
    loop.world.clock.micros += 5_000_000n;
    looks.due = 0n;
    loop.session.waker.wake();
    await until(() => looks.pending !== undefined, "a look has found it");
    loop.world.feed(...transaction(300n, mark(`catalog-read:${looks.pending?.nonce ?? ""}`)));
    await until(() => loop.session.control.state.jobs.has(`snapshot/${TOPIC}`), "its snapshot");
    expect(events(loop.world)).toEqual([]);
    expect(loop.session.control.state.jobs.get(`snapshot/${TOPIC}`)).toMatchObject({ state: "running" });
  });
});
