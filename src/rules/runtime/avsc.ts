/**
 * How avsc 5.7.9 resolves a reader's schema against a writer's (its lib/types.js, `createResolver` and `_update`). It
 * compares full names, takes the first branch of a union that does not throw, and keeps a registry of resolvers by
 * name. Resolvers that failed remain in it, and are reused when the same two records meet again.
 */
import { isAlike, isPromotion, writtenFields } from "../../avro/reading/compatibility.ts";
import { isNamed, type AvroNamed, type AvroRecord, type AvroSchema, type AvroUnion } from "../../avro/schema.ts";
import { oncePerPair } from "../../once.ts";

export interface Resolver {
  /** False if the resolver was handed out before it failed, so it throws when it gets data. */
  reads: boolean;
  /** For a reader's union: the branch that is taken for the written type. */
  choice?: { readonly union: AvroUnion; readonly writer: AvroSchema; readonly branch: AvroSchema };
  readonly parts: { readonly step: readonly string[]; readonly resolver: Resolver }[];
}

type Registry = Map<string, Resolver>;

/** Undefined if avsc rejects the pair. */
export function resolverOf(reader: AvroSchema, writer: AvroSchema): Resolver | undefined {
  return resolvers(reader, writer);
}

/** Cached, because several rules ask about each pair. */
const resolvers = oncePerPair((reader: AvroSchema, writer: AvroSchema) => resolve(new Map(), reader, writer));

function resolve(registry: Registry, reader: AvroSchema, writer: AvroSchema): Resolver | undefined {
  const key =
    reader.kind === "record" && writer.kind === "record" ? `${reader.fullName}:${writer.fullName}` : undefined;
  const known = key === undefined ? undefined : registry.get(key);
  if (known !== undefined) return known;
  const resolver: Resolver = { reads: false, parts: [] };
  if (key !== undefined) registry.set(key, resolver);
  resolver.reads =
    writer.kind === "union"
      ? writer.branches.every((branch) => takes(registry, resolver, [], reader, branch))
      : update(registry, resolver, reader, writer);
  return resolver.reads ? resolver : undefined;
}

function takes(
  registry: Registry,
  into: Resolver,
  step: readonly string[],
  reader: AvroSchema,
  writer: AvroSchema,
): boolean {
  const resolver = resolve(registry, reader, writer);
  if (resolver !== undefined) into.parts.push({ step, resolver });
  return resolver !== undefined;
}

function update(registry: Registry, resolver: Resolver, reader: AvroSchema, writer: AvroSchema): boolean {
  if (reader.kind === "union") {
    const branch = reader.branches.find((one) => takes(registry, resolver, [], one, writer));
    if (branch !== undefined) resolver.choice = { union: reader, writer, branch };
    return branch !== undefined;
  }
  if (isNamed(reader) && isNamed(writer)) {
    if (reader.kind !== writer.kind || !hasAvscName(reader, writer)) return false;
    if (reader.kind === "fixed" && writer.kind === "fixed") return reader.size === writer.size;
    if (reader.kind === "enum" && writer.kind === "enum") {
      return reader.default !== undefined || writer.symbols.every((symbol) => reader.symbols.includes(symbol));
    }
    return reader.kind === "record" && writer.kind === "record" && updateRecord(registry, resolver, reader, writer);
  }
  if (reader.kind === "array" && writer.kind === "array") {
    return takes(registry, resolver, ["[]"], reader.items, writer.items);
  }
  if (reader.kind === "map" && writer.kind === "map") {
    return takes(registry, resolver, ["{}"], reader.values, writer.values);
  }
  return isPromotion(reader, writer);
}

function updateRecord(registry: Registry, resolver: Resolver, reader: AvroRecord, writer: AvroRecord): boolean {
  return reader.fields.every((field) => {
    const names = field.aliases.length === 0 ? undefined : new Set([field.name, ...field.aliases]);
    const [source, second] = names ? writer.fields.filter(({ name }) => names.has(name)) : writtenFields(field, writer);
    if (source === undefined) return field.default !== undefined;
    if (second === undefined && isAlike(field.type, source.type)) return true;
    return second === undefined && takes(registry, resolver, [field.name], field.type, source.type);
  });
}

/** True if avsc matches the two names. It compares only full names; an alias `.Y` means Y. */
export function hasAvscName(reader: AvroNamed, writer: AvroNamed): boolean {
  return [reader.fullName, ...reader.aliases].some((name) => name.replace(/^\./, "") === writer.fullName);
}
