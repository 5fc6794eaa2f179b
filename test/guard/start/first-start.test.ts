import { expect, it } from "vitest";
import { runConnector } from "../../../src/guard/start/run-connector.ts";
import { tableOid } from "../../../src/table/column.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import { column, ID, tableOf, TOPIC } from "../../gate/customers.ts";
import { until } from "../../stack/until.ts";
import { type Given, lookedTable, stateRecords, type World, worldOf } from "../session.ts";
import { insert, relation, transaction } from "../wal.ts";

const OTHER = { ...tableOf([ID]), oid: tableOid(6000), name: "other" };
const FIRST = column(3, "first", "text", { notNull: true });
const LAST = column(4, "last", "text", { notNull: true });
/** Its second column was dropped before it was listed. */
const CUSTOMERS = tableOf([ID, FIRST, LAST]);
const BOTH = [OTHER, CUSTOMERS];

function running(given: Given) {
  const world = worldOf(given);
  const ending = new AbortController();
  const ended = runConnector(world.outside, ending.signal).catch(() => undefined);
  return {
    world,
    async [Symbol.asyncDispose]() {
      ending.abort(new Error("the test is over"));
      await ended;
    },
  };
}

/** What looks show before and after the table was added to the publication. */
function lookWhile(isSent: () => boolean) {
  const looked = BOTH.map((table) => lookedTable(Number(table.oid), table));
  const sent = new Set(["public.other"]);
  return async () => ({
    publication: { identity: "1.1", allTables: false, viaRoot: false, operations: ["insert", "update", "delete"] },
    tables: new Map(
      looked.map((table) => {
        const name = `${table.schema}.${table.name}`;
        const own = sent.has(name) || isSent() ? [name] : [];
        return [table.oid, { ...table, own }] as const;
      }),
    ),
    named: new Map(looked.map((table) => [`${table.schema}.${table.name}`, table])),
    enums: new Map(),
    end: lsn(1n),
  });
}

const hasPosition = ({ commits }: World) => stateRecords(commits).some(({ key }) => key === "position");

it("rows of a table that is listed later have all their columns, although the catalog is ahead and one was dropped before", async () => {
  let earlier: World;
  {
    await using first = running({ source: { tables: async () => [OTHER] } });
    earlier = first.world;
    await until(() => hasPosition(earlier), "the first start is done");
  }
  let added = false;
  await using second = running({
    source: {
      tables: async () => BOTH,
      // Read after the row was written.
      table: async () => ({
        table: CUSTOMERS,
        snapshot: { xmin: 1_000_000n, xmax: 1_000_000n, inProgress: new Set() },
        end: lsn(10_000n),
      }),
      slot: () => earlier.source.slot(),
      look: lookWhile(() => added),
      ensurePublication: async (tables) => {
        added ||= tables.some(({ name }) => name === "customers");
        return tables;
      },
    },
    sink: { readState: async () => stateRecords([...earlier.commits, ...second.world.commits]) },
  });
  const { world } = second;
  await until(() => stateRecords(world.commits).some(({ key }) => key === `table/${TOPIC}`), "the table is taken in");
  world.feed(...transaction(200n, relation([ID, FIRST, LAST]), insert(150n, "1", "Ada", "Lovelace")));
  const event = () => world.commits.flat().find(({ topic }) => topic === TOPIC);
  await until(() => event() !== undefined, "the row is published");
  expect(String(event()?.value)).toMatch(/Ada.*Lovelace/s);
  expect(world.log.join("\n")).not.toContain("cannot be identified");
});
