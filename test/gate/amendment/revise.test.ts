import { describe, expect, it } from "vitest";
import type { Column } from "../../../src/table/column.ts";
import {
  column,
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
  tableOf,
} from "../customers.ts";

const nick = idOf(NICK);
const SCORE = column(3, "nick", "int");
const RENAMED = { ...NICK, name: "nickname" };
const FILLED = column(3, "nick", "text", { defaultExpr: "'x'::text", missing: "x" });

/** Looks at a quiet table, one after the other: its new column, and the file that its rows are in. */
type Looks = readonly (readonly [nick: Column, filenode: number, rewritten?: boolean])[];

function jobsAfter(looks: Looks): readonly string[] {
  const inputs = looks.map(([one, filenode, rewritten]) => {
    const columns = [ID, NAME, one];
    return seen(columns, { catalog: { ...tableOf(columns), filenode }, ...(rewritten === true ? { rewritten } : {}) });
  });
  const { state } = play(
    MANUAL,
    stateOf(publishing()),
    ...inputs,
    (now) => fits(now, nick),
    release([nick]),
    (now) => registered(now, nick),
  );
  return [...state.jobs.keys()];
}

describe("no row was published while a column was withheld: its backfill at the release", () => {
  it.each<[string, boolean, Looks]>([
    [
      "is not needed if the table still has its file",
      false,
      [
        [NICK, 1],
        [NICK, 1],
      ],
    ],
    [
      "reads the values of ALTER TYPE … USING",
      true,
      [
        [SCORE, 1],
        [NICK, 2],
      ],
    ],
    [
      "reads them although the type is the same as before",
      true,
      [
        [NICK, 1],
        [NICK, 2],
      ],
    ],
    [
      "reads them although a later look shows the same file",
      true,
      [
        [NICK, 1],
        [NICK, 2],
        [RENAMED, 2],
      ],
    ],
    [
      "reads them if the DDL trigger reported the rewrite",
      true,
      [
        [NICK, 1],
        [NICK, 1, true],
      ],
    ],
    [
      "reads what VACUUM FULL wrote into older rows before DROP DEFAULT",
      true,
      [
        [FILLED, 1],
        [{ ...FILLED, missing: null }, 2],
        [NICK, 2],
      ],
    ],
  ])("%s", (_, needed, looks) => {
    expect(jobsAfter(looks).filter((id) => id.startsWith("backfill/"))).toEqual(needed ? [`backfill/${nick}`] : []);
  });
});
