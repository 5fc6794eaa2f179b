import { fc, test as law } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { attnum, type ColumnType } from "../../src/table/column.ts";
import { type CatalogColumns, type KnownColumn, type KnownColumns, NO_EVIDENCE, prove } from "../../src/table/prove.ts";
import type { RelationColumn } from "../../src/wal/message.ts";

const INT = 23;
const TEXT = 25;
const type = (oid: number): ColumnType => ({ oid, typmod: -1 });

/** `1id:23` is attnum 1, name id, type 23. */
function columns(text: string): KnownColumn[] {
  return text
    .split(" ")
    .filter((part) => part !== "")
    .map((part) => {
      const match = /^(\d+)(\w+):(\d+)$/.exec(part);
      if (match === null) throw new Error(`bad column ${part}`);
      return { attnum: attnum(Number(match[1])), name: match[2] ?? "", type: type(Number(match[3])) };
    });
}
const catalog = (text: string, maxAttnum: number): CatalogColumns => ({ columns: columns(text), maxAttnum });
function relation(text: string): RelationColumn[] {
  return text.split(" ").map((part) => {
    const [name = "", oid = "0"] = part.split(":");
    return { name, typeOid: Number(oid), typmod: -1, key: false };
  });
}

/** Of columns 1 and 2 only. */
const UNCHANGED = { ...NO_EVIDENCE, unchanged: (column: number) => column <= 2 };

/** Proven at a time when no column after the last of them had been dropped. */
const since = (known: KnownColumn[]): KnownColumns => ({ columns: known, assigned: Number(known.at(-1)?.attnum ?? 0) });

describe("the identity of a Relation's columns", () => {
  const cases: [string, string, string, string, number, boolean, string][] = [
    ["nothing changed", "id:23 a:25", "1id:23 2a:25", "1id:23 2a:25", 2, false, "1 2"],
    ["a column added", "id:23 a:25 b:25", "1id:23 2a:25", "1id:23 2a:25 3b:25", 3, false, "1 2 3"],
    ["a column added, but the row is older", "id:23 a:25", "1id:23 2a:25", "1id:23 2a:25 3b:25", 3, false, "1 2"],
    [
      "DROP nick, RENAME nick_new TO nick is told apart from dropping nick_new",
      "id:23 nick:25",
      "1id:23 2nick:25 3nick_new:25",
      "1id:23 3nick:25",
      3,
      false,
      "1 3",
    ],
    ["a column dropped after the row", "id:23 a:25 b:25", "1id:23 2a:25 3b:25", "1id:23 3b:25", 3, false, "1 2 3"],
    ["a column added before and dropped after the row", "id:23 x:25", "1id:23", "1id:23", 2, false, "1 2"],
    [
      "dropped and added again with the same type: it may be either column",
      "id:23 a:25",
      "1id:23 2a:25",
      "1id:23 3a:25",
      3,
      false,
      "1 ?",
    ],
    ["… unless the old column was gone before the row", "id:23 a:25", "1id:23 2a:25", "1id:23 3a:25", 3, true, "1 3"],
    [
      "dropped and added again with a different type: the new column may have been retyped after the row",
      "id:23 a:25",
      "1id:23 2a:25",
      "1id:23 3a:23",
      3,
      false,
      "1 ?",
    ],
    [
      "dropped and added again with a different type: the old column may have been retyped before it was dropped",
      "id:23 a:23",
      "1id:23 2a:25",
      "1id:23 3a:23",
      3,
      false,
      "1 ?",
    ],
    [
      "a catalog older than the row explains nothing",
      "id:23 a:25 b:25",
      "1id:23 2a:25",
      "1id:23 2a:25",
      2,
      false,
      "none",
    ],
    ["attnums that were gone before the row are not in it", "id:23 c:25", "1id:23", "1id:23 4c:25", 4, true, "1 4"],
    ["retyped after the row", "id:23 a:23", "1id:23 2a:23", "1id:23 2a:25", 2, false, "1 2"],
    [
      "a column dropped and a column of another name added after the row",
      "id:23 f:25 l:25",
      "1id:23 2f:25 3l:25",
      "1id:23 3l:25 4n:25",
      4,
      false,
      "1 2 3",
    ],
    [
      "… and the row is newer: the dropped column may have been renamed first",
      "id:23 l:25 n:25",
      "1id:23 2f:25 3l:25",
      "1id:23 3l:25 4n:25",
      4,
      false,
      "1 3 4",
    ],
    [
      "a withheld column retyped before the row and dropped after it, and another added",
      "id:23 pin:25 note:25",
      "1id:23 2pin:23 3note:25",
      "1id:23 3note:25 4more:25",
      4,
      false,
      "1 2 3",
    ],
    [
      "… and the dropped column is the last: the added one may have been renamed since",
      "id:23 note:25 pin:25",
      "1id:23 2note:25 3pin:23",
      "1id:23 2note:25 4more:25",
      4,
      false,
      "1 2 ?",
    ],
    [
      "… and the row has the added column's name",
      "id:23 note:25 more:25",
      "1id:23 2note:25 3pin:23",
      "1id:23 2note:25 4more:25",
      4,
      false,
      "1 2 ?",
    ],
    [
      "a column that was gone at the last proof is not in a later row",
      "id:23 a:25 b:25",
      "1id:23 2a:25 3b:25",
      "1id:23 2a:25",
      4,
      false,
      "1 2 ?",
    ],
    [
      "renamed twice, and columns were dropped and added: names prove nothing",
      "id:23 c:25 b:25 e:25",
      "1id:23 2a:25 3b:25 4c:25",
      "1id:23 3e:25 5c:25 6b:25",
      6,
      false,
      "1 ? ? ?",
    ],
    ["retyped twice, but there is only one reading", "id:23 a:20", "1id:23 2a:23", "1id:23 2a:25", 2, false, "1 2"],
  ];
  it.each(cases)("%s", (_name, seen, known, live, max, goneBefore, expected) => {
    const [before, now] = [columns(known), catalog(live, max)];
    const unchanged = (column: number) => {
      const [was, is] = [before, now.columns].map((all) => all.find((one) => one.attnum === column));
      return was !== undefined && was.name === is?.name && was.type.oid === is.type.oid;
    };
    const proof = prove(relation(seen), since(before), now, { gone: () => goneBefore, unchanged });
    const text = proof.kind === "impossible" ? "none" : proof.columns.map((column) => column ?? "?").join(" ");
    expect(text).toBe(expected);
  });
});

type Ddl =
  | { kind: "add"; oid: number; name: string }
  | { kind: "drop"; pick: number }
  | { kind: "rename"; pick: number; name: string }
  | { kind: "retype"; pick: number; oid: number };

/** A column, and how often its definition has been changed. */
type Versioned = KnownColumn & { readonly version: number };

/** Applies DDL to a table and returns the columns after each step. */
function play(steps: readonly Ddl[]): { columns: Versioned[]; maxAttnum: number }[] {
  let live: Versioned[] = columns("1id:23 2a:25 3b:25 4c:25").map((column) => ({ ...column, version: 0 }));
  let max = 4;
  const states = [{ columns: live, maxAttnum: max }];
  for (const step of steps) {
    const victim = step.kind === "add" ? undefined : live[1 + (step.pick % Math.max(1, live.length - 1))];
    if (step.kind === "add") {
      max += 1;
      live = [...live, { attnum: attnum(max), name: step.name, type: type(step.oid), version: 0 }];
    } else if (step.kind === "drop") live = live.filter((column) => column !== victim);
    else {
      const change = step.kind === "rename" ? { name: step.name } : { type: type(step.oid) };
      live = live.map((column) => (column === victim ? { ...column, ...change, version: column.version + 1 } : column));
    }
    states.push({ columns: live, maxAttnum: max });
  }
  return states;
}

const name = fc.constantFrom("a", "b", "c");
const ddl: fc.Arbitrary<Ddl> = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), oid: fc.constantFrom(TEXT, TEXT, INT), name }),
  fc.record({ kind: fc.constant("drop" as const), pick: fc.nat(9) }),
  fc.record({ kind: fc.constant("rename" as const), pick: fc.nat(9), name }),
  fc.record({ kind: fc.constant("retype" as const), pick: fc.nat(9), oid: fc.constantFrom(INT, TEXT) }),
);

it("a column that was added since may have been retyped after the row, too", () => {
  const known = since(columns("1id:23 2a:25 3b:23 4c:25"));
  const proof = prove(relation("id:23 a:25 c:25 b:23"), known, catalog("1id:23 2a:25 5b:20", 5), UNCHANGED);
  expect(proof).toEqual({ kind: "ambiguous", columns: [1, 2, undefined, undefined] });
});

it("an attnum that had been assigned and dropped by the last proof is not in a later row", () => {
  const known = { columns: columns("1id:23 2a:25 3b:25"), assigned: 4 };
  const proof = prove(relation("id:23 a:25 b:25"), known, catalog("1id:23 2a:25", 4), NO_EVIDENCE);
  expect(proof).toEqual({ kind: "proven", columns: [1, 2, 3] });
});

it.each([
  ["the row is older", "id:23 b:25", [1, 3]],
  ["the row is newer", "id:23 g:25 b:25", [1, 2, 3]],
])("a column that was generated at the last proof is ordinary now: %s", (_what, seen, expected) => {
  const known = { columns: columns("1id:23 3b:25"), assigned: 3 };
  const proof = prove(relation(seen), known, catalog("1id:23 2g:25 3b:25", 3), NO_EVIDENCE);
  expect(proof).toEqual({ kind: "proven", columns: expected });
});

it("a column that was missing from an older catalog read is not in a later row", () => {
  const seen = relation("id:23 a:25");
  const proof = prove(seen, since(columns("1id:23 2a:25")), catalog("1id:23 3a:25", 3), {
    ...NO_EVIDENCE,
    gone: (column) => column === 2,
  });
  expect(proof).toEqual({ kind: "proven", columns: [1, 3] });
});

describe("laws of prove", () => {
  law.prop([fc.array(ddl, { maxLength: 12 }), fc.nat(12), fc.nat(12), fc.nat(12)], { numRuns: 3000 })(
    "whatever is proven is true, whatever DDL ran before and after the row",
    (steps, i, j, k) => {
      const states = play(steps);
      const [before = 0, at = 0, after = 0] = [i, j, k].map((n) => n % states.length).sort((x, y) => x - y);
      const row = states[at]?.columns ?? [];
      const first = states[before] ?? { columns: [], maxAttnum: 0 };
      const now = states[after] ?? first;
      const seen = row.map((column) => ({ name: column.name, typeOid: column.type.oid, typmod: -1, key: false }));
      const versionIn = ({ columns: all }: typeof now, column: number) =>
        all.find((one) => one.attnum === column)?.version;
      const evidence = {
        gone: () => after === at,
        unchanged: (column: number) => versionIn(first, column) === versionIn(now, column),
      };
      const proof = prove(seen, { columns: first.columns, assigned: first.maxAttnum }, now, evidence);
      if (proof.kind === "impossible") throw new Error("a true reading exists");
      proof.columns.forEach((column, index) => {
        if (column !== undefined) expect(column).toBe(row[index]?.attnum);
      });
      if (after === at) expect(proof.kind).toBe("proven");
    },
  );
});
