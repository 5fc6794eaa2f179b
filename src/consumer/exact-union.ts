import avsc from "avsc";
import { bigintLongs } from "./long.ts";
import type { Longs } from "../rules/runtime/rule.ts";

/**
 * A reader's unions, read as Java reads them. avsc takes the first branch of a union that can read the written type, so
 * that a reader with ["null", "string", "bytes"] gets bytes as text, which destroys them. Java prefers the branch of the
 * same type. For each written type, the branches are therefore tried in Java's order.
 */

/** Compiles a reader's schema to avsc's type, with unions that prefer the branch of the written type. */
export function readerType(schema: avsc.Schema, longs: Longs): avsc.Type {
  const making = new Set<avsc.Schema>();
  const typeHook = (one: avsc.Schema, options: Partial<avsc.ForSchemaOptions>): avsc.Type | undefined => {
    if (!Array.isArray(one)) return longs === "bigint" ? bigintLongs(one) : undefined;
    if (making.has(one)) return undefined; // avsc itself makes the union, and asks again for its branches
    making.add(one);
    const union = avsc.Type.forSchema(one, options);
    making.delete(one);
    return exact(union as UnionType); // the type of an array is a union
  };
  return avsc.Type.forSchema(schema, { typeHook });
}

/** What avsc's unions have besides the type that it declares: they take the first of `types` that has a resolver. */
interface UnionType extends avsc.types.UnwrappedUnionType {
  _update(resolver: unknown, written: avsc.Type, options: unknown): void;
}

/** avsc freezes its unions, so this is a new object with the union as its prototype. */
function exact(union: UnionType): avsc.Type {
  return Object.create(union, {
    _update: {
      value: (resolver: unknown, written: avsc.Type, options: unknown): void => {
        const types = union.types.toSorted((a, b) => rank(a, written) - rank(b, written));
        union._update.call(Object.create(union, { types: { value: types } }), resolver, written, options);
      },
    },
  }) as avsc.Type; // Object.create returns any
}

/** Java's order: by alias, by full name, by name, then the same kind of type, and finally by promotion. */
function rank(branch: avsc.Type, written: avsc.Type): number {
  if (kindOf(branch) !== kindOf(written)) return 4;
  if (written.name === undefined) return 0;
  if (branch.aliases?.includes(written.name) === true) return 0;
  if (branch.name === written.name) return 1;
  return lastPart(branch.name) === lastPart(written.name) ? 2 : 3;
}

/** `abstract:long` is a long that is decoded to a bigint. */
function kindOf({ typeName }: avsc.Type): string {
  return typeName.replace("abstract:", "");
}

function lastPart(name: string | undefined): string | undefined {
  return name?.split(".").at(-1);
}
