import { ownValue } from "../json.ts";
import { OID } from "../event/types/table.ts";
import type { ColumnType, TypeDetail } from "../table/column.ts";
import type { NamedType } from "./catalog.ts";
import type { TypeName } from "./ddl-step.ts";

const OIDS: Readonly<Record<string, number>> = OID;

/**
 * The type as the catalog would have it; undefined if there is none of this name in `known`. An array's oid is 0,
 * because only its elements matter.
 */
export function columnTypeOf(
  { name, modifiers, array }: TypeName,
  known: readonly NamedType[],
): ColumnType | undefined {
  const oid = ownValue(OIDS, name);
  const element = oid === undefined ? namedType(name, known)?.type : { oid, typmod: typmodOf(name, modifiers) };
  if (element === undefined || !array) return element;
  return { oid: 0, typmod: element.typmod, detail: { kind: "array", of: element } };
}

/** The type of this name, with or without its schema. Where several schemas have one, PostgreSQL's own or public's. */
export function namedType(name: string, known: readonly NamedType[]): NamedType | undefined {
  const [bare, schema] = name.split(".").toReversed();
  const called = known.filter((one) => one.name === bare);
  if (schema !== undefined) return called.find((one) => one.schema === schema || one.schema === undefined);
  return ["pg_catalog", "public"].map((own) => called.find((one) => one.schema === own)).find(Boolean) ?? called[0];
}

/** The named types in a column's type, with their details. */
export function namedTypesIn(type: ColumnType): readonly NamedType[] {
  const { detail } = type;
  switch (detail?.kind) {
    case undefined:
      return [];
    case "array":
      return namedTypesIn(detail.of);
    case "domain":
      return [{ schema: undefined, name: bareName(detail), type }, ...namedTypesIn(detail.of)];
    case "enum":
    case "named":
      return [{ schema: undefined, name: bareName(detail), type }];
    default:
      return detail satisfies never;
  }
}

function bareName({ name }: { readonly name: string }): string {
  return name.split(".").at(-1) ?? name;
}

/** The type with a different detail wherever it contains the type with this oid. */
export function withDetail(type: ColumnType, oid: number, detail: TypeDetail): ColumnType {
  if (type.oid === oid && type.detail?.kind !== "array") return { ...type, detail };
  if (type.detail?.kind !== "array" && type.detail?.kind !== "domain") return type;
  const of = withDetail(type.detail.of, oid, detail);
  return of === type.detail.of ? type : { ...type, detail: { ...type.detail, of } };
}

/** Whether the type is, or is built from, the type with this oid. */
export function usesType(type: ColumnType, oid: number): boolean {
  if (type.oid === oid) return true;
  return (type.detail?.kind === "array" || type.detail?.kind === "domain") && usesType(type.detail.of, oid);
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

/** The type as people write it, e.g. `numeric(10,2)`. */
export function typeText({ name, modifiers, array }: TypeName): string {
  return `${name}${modifiers.length === 0 ? "" : `(${modifiers.join(",")})`}${array ? "[]" : ""}`;
}
