import type avsc from "avsc";
import { isNamed, type AvroSchema } from "../avro/schema.ts";

interface Reader {
  readonly schema: AvroSchema;
  readonly type: avsc.Type;
}

/**
 * Creates avsc's resolver, or returns avsc's reason for refusing. avsc compares full names where Java compares only the
 * last part. If it refuses, we try again without namespaces, unless a union could then mistake one type for another.
 */
export function resolverOf({ schema, type }: Reader, writer: avsc.Type): avsc.Resolver | string {
  const strict = tryResolver(type, writer, false);
  if (typeof strict === "object" || hasTwins(schema, new Set())) return strict;
  const loose = tryResolver(type, writer, true);
  return typeof loose === "object" ? loose : strict;
}

/**
 * avsc keeps resolvers in a registry and reuses them. It even reuses unfinished ones that it failed to create, which
 * then throw at the first event. Finished resolvers are frozen, so every reused one must be frozen.
 */
function tryResolver(reader: avsc.Type, writer: avsc.Type, ignoreNamespaces: boolean): avsc.Resolver | string {
  const reused = new Set<object>();
  const registry = new Proxy<Record<string, object>>(Object.create(null), {
    get(kept, key) {
      const resolver = typeof key === "string" ? kept[key] : undefined;
      if (resolver !== undefined) reused.add(resolver);
      return resolver;
    },
  });
  const options = { ignoreNamespaces, registry };
  try {
    const resolver = reader.createResolver(writer, options);
    if ([...reused].every((one) => Object.isFrozen(one))) return resolver;
    return "it reuses a resolver that it failed to create";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** True if a union has two types whose names differ only in the namespace. */
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
