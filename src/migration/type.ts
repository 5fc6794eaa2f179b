import { ownValue } from "../json.ts";
import { OID } from "../event/types/table.ts";
import type { ColumnType } from "../table/column.ts";
import type { TypeName } from "./ddl-step.ts";

const OIDS: Readonly<Record<string, number>> = OID;

/**
 * The type as the catalog would have it; undefined for a user-defined type that no column in `known` has. An array's
 * oid is 0, because only its elements matter.
 */
export function columnTypeOf(
  { name, modifiers, array }: TypeName,
  known: readonly ColumnType[],
): ColumnType | undefined {
  const oid = ownValue(OIDS, name);
  const element = oid === undefined ? userType(name, known) : { oid, typmod: typmodOf(name, modifiers) };
  if (element === undefined || !array) return element;
  return { oid: 0, typmod: element.typmod, detail: { kind: "array", of: element } };
}

function userType(name: string, known: readonly ColumnType[]): ColumnType | undefined {
  const bare = name.split(".").at(-1);
  return known.find(
    ({ detail }) => detail !== undefined && detail.kind !== "array" && detail.name.split(".").at(-1) === bare,
  );
}

/** The atttypmod for these modifiers. Each type packs them in its own way. */
function typmodOf(name: string, modifiers: readonly number[]): number {
  const [first, second = 0] = modifiers;
  // An interval's modifiers say which parts it has, which does not matter for the events' schema.
  if (first === undefined || name === "interval") return -1;
  if (name === "bpchar" || name === "varchar") return first + 4;
  if (name === "numeric") return ((first << 16) | (second & 0x7ff)) + 4;
  return first;
}
