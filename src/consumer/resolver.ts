import type avsc from "avsc";
import { isNamed, type AvroSchema } from "../avro/schema.ts";

interface Reader {
  readonly schema: AvroSchema;
  readonly type: avsc.Type;
}

/**
 * avsc's resolver, or why avsc makes none. avsc compares full names where Java compares the last part: what it refuses
 * for that is tried again without namespaces, unless a union then could take the wrong one of two.
 */
export function resolverOf({ schema, type }: Reader, writer: avsc.Type): avsc.Resolver | string {
  const strict = tryResolver(type, writer, false);
  if (typeof strict === "object" || hasTwins(schema, new Set())) return strict;
  const loose = tryResolver(type, writer, true);
  return typeof loose === "object" ? loose : strict;
}

/**
 * avsc keeps resolvers in a registry, also those it failed to make, and hands them out again: such a one throws only
 * when an event comes. One that was made is frozen; of those handed out, each must be.
 */
function tryResolver(reader: avsc.Type, writer: avsc.Type, ignoreNamespaces: boolean): avsc.Resolver | string {
  const handedOut = new Set<object>();
  const registry = new Proxy<Record<string, object>>(Object.create(null), {
    get(kept, key) {
      const resolver = typeof key === "string" ? kept[key] : undefined;
      if (resolver !== undefined) handedOut.add(resolver);
      return resolver;
    },
  });
  const options = { ignoreNamespaces, registry };
  try {
    const resolver = reader.createResolver(writer, options);
    if ([...handedOut].every((one) => Object.isFrozen(one))) return resolver;
    return "it hands out a resolver that it failed to make";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Has a union two types whose names differ in the namespace alone? */
function hasTwins(schema: AvroSchema, seen: Set<AvroSchema>): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  const within = (inner: AvroSchema) => hasTwins(inner, seen);
  switch (schema.kind) {
    case "array":
      return within(schema.items);
    case "map":
      return within(schema.values);
    case "record":
      return schema.fields.some(({ type }) => within(type));
    case "union": {
      const names = schema.branches.flatMap((branch) => (isNamed(branch) ? [branch.name] : []));
      return new Set(names).size < names.length || schema.branches.some(within);
    }
    default:
      return false;
  }
}
