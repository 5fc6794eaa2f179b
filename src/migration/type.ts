import { OID } from "../event/types/kind.ts";
import type { ColumnType } from "../table/column.ts";
import type { TypeName } from "./step.ts";

const OIDS: Readonly<Record<string, number>> = OID;

/**
 * The type as the catalog would have it; undefined: a type of one's own that no column here has. An array's oid is 0:
 * only its elements count.
 */
export function columnTypeOf(
  { name, modifiers, array }: TypeName,
  known: readonly ColumnType[],
): ColumnType | undefined {
  const oid = OIDS[name];
  const element = oid === undefined ? ownType(name, known) : { oid, typmod: typmodOf(name, modifiers) };
  if (element === undefined || !array) return element;
  return { oid: 0, typmod: element.typmod, detail: { kind: "array", of: element } };
}

function ownType(name: string, known: readonly ColumnType[]): ColumnType | undefined {
  const bare = name.split(".").at(-1);
  return known.find(
    ({ detail }) => detail !== undefined && detail.kind !== "array" && detail.name.split(".").at(-1) === bare,
  );
}

/** atttypmod of a type with these modifiers: each type packs them in its own way. */
function typmodOf(name: string, modifiers: readonly number[]): number {
  const [first, second = 0] = modifiers;
  // An interval's say which parts it has: the events' schema does not look.
  if (first === undefined || name === "interval") return -1;
  if (name === "bpchar" || name === "varchar") return first + 4;
  if (name === "numeric") return ((first << 16) | (second & 0x7ff)) + 4;
  return first;
}

/** The type for people: `numeric(10,2)`. */
export function typeText({ name, modifiers, array }: TypeName): string {
  return `${name}${modifiers.length === 0 ? "" : `(${modifiers.join(",")})`}${array ? "[]" : ""}`;
}
