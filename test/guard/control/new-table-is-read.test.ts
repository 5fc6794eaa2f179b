import { describe, expect, it } from "vitest";
import type { LookedTable, TablesLook } from "../../../src/capture/look.ts";
import { capture } from "../../../src/guard/control/capture-new.ts";
import { firstLooks } from "../../../src/guard/control/looks.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import { ID, NAME, TOPIC, tableOf } from "../../gate/customers.ts";
import { lookAt, lookedTable, sessionIn, worldOf } from "../session.ts";

const NEW = { ...tableOf([ID, NAME]), filenode: 5000 };
const LOOKED = lookedTable(5000, NEW);
const NOTHING: TablesLook = { ...lookAt(LOOKED), tables: new Map(), named: new Map() };

/** The kinds of the jobs that read the table, if it is captured after the session began with the look `before`. */
async function jobsFor(before: TablesLook, now: TablesLook): Promise<readonly string[]> {
  const world = worldOf();
  const session = sessionIn(world);
  session.control.state = { ...session.control.state, tables: new Map() };
  Object.assign(session.control, { looks: firstLooks(world.outside, { ...before, end: lsn(1n) }, []) });
  expect(await capture(session, NEW, now)).toBe(true);
  expect([...session.control.state.tables.keys()]).toEqual([TOPIC]);
  return [...session.control.state.jobs.keys()];
}

function sentAs(own: LookedTable["own"]): LookedTable {
  return { ...LOOKED, own };
}

describe("a new table", () => {
  it("is not read if a publication of all tables, which existed before it, has sent all its rows", async () => {
    expect(await jobsFor(NOTHING, lookAt(LOOKED))).toEqual([]);
  });

  it.each<[string, TablesLook, TablesLook]>([
    [
      "listed in the publication by name",
      { ...NOTHING, publication: lookAt(LOOKED, false).publication },
      lookAt(sentAs(["table:7.1"]), false),
    ],
    [
      "published with its schema",
      { ...NOTHING, publication: lookAt(LOOKED, false).publication },
      lookAt(sentAs(["schema:7.1"]), false),
    ],
    [
      "in a publication of all tables that was created after it",
      { ...NOTHING, publication: undefined },
      lookAt(LOOKED),
    ],
    ["older than the session", lookAt(LOOKED), lookAt(LOOKED)],
  ])("is read if it is %s, because it can have had rows before it was published", async (_, before, now) => {
    expect(await jobsFor(before, now)).toEqual([`repair/${TOPIC}`]);
  });
});
