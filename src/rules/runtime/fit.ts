import { checkCompatibility, hasNameOf, isPromotion } from "../../avro/reading/compatibility.ts";
import { isNamed, type AvroNamed, type AvroRecord, type AvroSchema } from "../../avro/schema.ts";
import { hasAvscName } from "./avsc.ts";
import type { Runtime } from "./rule.ts";

/** True if the runtime matches these two types by name. */
export function hasNameFor(runtime: Runtime, reader: AvroNamed, writer: AvroNamed): boolean {
  switch (runtime) {
    case "avsc":
      return hasAvscName(reader, writer);
    case "ruby-avro":
      return reader.fullName === writer.fullName || reader.aliases.includes(writer.fullName);
    case "python-avro":
      return reader.fullName === writer.fullName;
    // fastavro also compares an alias as it is written; avro-rs ignores names here.
    case "fastavro":
    case "avro-rs":
    case "java":
      return hasNameOf(reader, writer);
    default:
      return runtime satisfies never;
  }
}

/** True if the runtime promotes the written type to the reader's. */
function promotes(runtime: Runtime, reader: AvroSchema, writer: AvroSchema): boolean {
  const isText = reader.kind === "string" || reader.kind === "bytes";
  return isPromotion(reader, writer) && (runtime !== "python-avro" || !isText || reader.kind === writer.kind);
}

/** True if a library that does not look inside a union's branch takes this branch. */
export function fitsOutside(runtime: Runtime, reader: AvroSchema, writer: AvroSchema): boolean {
  if (reader.kind === "union" || writer.kind === "union") {
    return runtime !== "python-avro" || reader.kind === writer.kind;
  }
  if (isNamed(reader) && isNamed(writer)) {
    if (reader.kind === "fixed" && writer.kind === "fixed" && reader.size !== writer.size) return false;
    return reader.kind === writer.kind && hasNameFor(runtime, reader, writer);
  }
  if (reader.kind === "array" && writer.kind === "array") return fitsInside(runtime, reader.items, writer.items);
  if (reader.kind === "map" && writer.kind === "map") return fitsInside(runtime, reader.values, writer.values);
  return promotes(runtime, reader, writer);
}

/** Python's library compares items and values only by their kind. */
function fitsInside(runtime: Runtime, reader: AvroSchema, writer: AvroSchema): boolean {
  return runtime === "python-avro" ? reader.kind === writer.kind : fitsOutside(runtime, reader, writer);
}

/** avro-rs takes the first named branch that the value fits, whatever its name, and finds fields only by name. */
export function fitsValue(reader: AvroSchema, writer: AvroSchema): boolean {
  if (reader.kind === "record" && writer.kind === "record") return takesFields(reader, writer);
  if (reader.kind === "record" && writer.kind === "map")
    return reader.fields.every((field) => field.default !== undefined);
  if (reader.kind === "fixed" && writer.kind === "fixed") return reader.size === writer.size;
  if (reader.kind === "enum" && writer.kind === "enum") {
    return reader.default !== undefined || writer.symbols.some((symbol) => reader.symbols.includes(symbol));
  }
  return false;
}

function takesFields(reader: AvroRecord, writer: AvroRecord): boolean {
  return reader.fields.every((field) => {
    const written = writer.fields.find(({ name }) => name === field.name);
    return written === undefined
      ? field.default !== undefined
      : checkCompatibility(field.type, written.type).compatible || fitsValue(field.type, written.type);
  });
}
