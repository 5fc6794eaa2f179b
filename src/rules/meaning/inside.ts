import { isNamed, type AvroRecord, type AvroSchema } from "../../avro/schema.ts";
import type { Change } from "./rule.ts";
import { branchesOf, valueType } from "./type.ts";

/** The records at the same place inside a field: in the current schema, in the next one, and in the reader's own. */
export interface RecordsInside {
  /** The place relative to the field, with `[]` for each array and `{}` for each map: `[].price` of `items`. */
  readonly path: string;
  readonly from: AvroRecord;
  readonly to: AvroRecord;
  readonly row: AvroRecord | undefined;
}

/** Finds the records inside a field, through null, arrays, maps and unions. */
export function recordsInside(
  before: AvroSchema,
  after: AvroSchema,
  own: AvroSchema | undefined,
  path = "",
): readonly RecordsInside[] {
  const [b, a, o] = [valueType(before), valueType(after), own === undefined ? undefined : valueType(own)];
  if (b.kind === "array" && a.kind === "array") {
    return recordsInside(b.items, a.items, o?.kind === "array" ? o.items : undefined, `${path}[]`);
  }
  if (b.kind === "map" && a.kind === "map") {
    return recordsInside(b.values, a.values, o?.kind === "map" ? o.values : undefined, `${path}{}`);
  }
  if (b.kind === "record" && a.kind === "record") {
    const row = o?.kind === "union" ? branchFor(a, o) : o;
    return [{ path, from: b, to: a, row: row?.kind === "record" ? row : undefined }];
  }
  if (b.kind !== "union" && a.kind !== "union") return [];
  return branchPairs(b, a).flatMap(([one, other]) =>
    recordsInside(one, other, o === undefined ? undefined : branchFor(other, o), path),
  );
}

/**
 * One change for each branch of a union that has a counterpart on the other side; no changes if neither type is a
 * union.
 */
export function changesOfBranches(change: Change): readonly Change[] {
  const { before, after } = change;
  if (before === undefined || after === undefined) return [];
  return unionPairs(before.type, after.type).map(([was, is]) => ({
    ...change,
    before: { ...before, type: was },
    after: { ...after, type: is },
  }));
}

type Pair = readonly [AvroSchema, AvroSchema];

function unionPairs(before: AvroSchema, after: AvroSchema): readonly Pair[] {
  const [b, a] = [valueType(before), valueType(after)];
  if (b.kind === "array" && a.kind === "array") return unionPairs(b.items, a.items);
  if (b.kind === "map" && a.kind === "map") return unionPairs(b.values, a.values);
  return b.kind === "union" || a.kind === "union" ? branchPairs(b, a) : [];
}

/** Pairs branches by kind or name. If one branch is left over on each side, these two are paired as well. */
function branchPairs(before: AvroSchema, after: AvroSchema): readonly Pair[] {
  const [was, is] = [before, after].map((type) => branchesOf(type).filter(({ kind }) => kind !== "null"));
  if (was === undefined || is === undefined) return [];
  const same = was.flatMap((branch) => {
    const other = is.find((one) => isSameBranch(branch, one));
    return other === undefined ? [] : [[branch, other] as const];
  });
  const [gone, secondGone] = was.filter((branch) => !same.some(([one]) => one === branch));
  const [added, secondAdded] = is.filter((branch) => !same.some(([, one]) => one === branch));
  const isOneEach = gone !== undefined && added !== undefined && secondGone === undefined && secondAdded === undefined;
  return isOneEach ? [...same, [gone, added]] : same;
}

function branchFor(branch: AvroSchema, type: AvroSchema): AvroSchema | undefined {
  return branchesOf(type).find((one) => isSameBranch(one, branch));
}

function isSameBranch(one: AvroSchema, other: AvroSchema): boolean {
  return one.kind === other.kind && (!isNamed(one) || !isNamed(other) || one.name === other.name);
}
