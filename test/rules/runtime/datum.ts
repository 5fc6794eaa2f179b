import { Buffer } from "node:buffer";
import { checkCompatibility, hasNameOf, writtenFields } from "../../../src/avro/reading/compatibility.ts";
import { isNamed, type AvroRecord, type AvroSchema, type RecordField } from "../../../src/avro/schema.ts";
import type { Json } from "../../../src/json.ts";

/** A writer's value: its bytes, and what it becomes in a reader's schema. */
export interface Datum {
  readonly bytes: Buffer;
  /** The value by Java's rules, with bytes as `{ "bytes": "<hex>" }`; without a reader, by the writer's own schema. */
  readonly read: (reader?: AvroSchema) => Json;
}

/** Chooses a number below the given one. */
export type Choose = (of: number) => number;

/** Chooses differently at each place and each turn. */
export function turns(turn: number): Choose {
  let place = turn;
  return (of) => place++ % of;
}

/** A value for `schema`. Throws if a recursive schema does not end. */
export function datum(schema: AvroSchema, choose: Choose, depth = 0): Datum {
  if (depth > 30) throw new Error("endless");
  if (schema.kind === "union") {
    const ends = schema.branches.findIndex(({ kind }) => kind === "null" || kind === "array" || kind === "map");
    const at = depth > 8 && ends >= 0 ? ends : choose(schema.branches.length);
    const branch = schema.branches[at];
    if (branch === undefined) throw new Error("an empty union has no value");
    const inner = datum(branch, choose, depth + 1);
    return { bytes: Buffer.concat([long(at), inner.bytes]), read: inner.read };
  }
  const value = plain(schema, choose, depth);
  return {
    bytes: value.bytes,
    read: (reader) => (reader?.kind === "union" ? value.read(branchFor(reader.branches, schema)) : value.read(reader)),
  };
}

function plain(schema: Exclude<AvroSchema, { kind: "union" }>, choose: Choose, depth: number): Datum {
  switch (schema.kind) {
    case "null":
      return leaf(Buffer.alloc(0), null);
    case "boolean":
      return leaf(Buffer.from([1]), true);
    case "int":
    case "long": {
      const value = choose(2) === 0 ? 3 : 16_777_216;
      return leaf(long(value), value);
    }
    case "float":
      return leaf(Buffer.from(new Float32Array([1.5]).buffer), 1.5);
    case "double":
      return leaf(Buffer.from(new Float64Array([2.25]).buffer), 2.25);
    case "string":
    case "bytes":
      return textOrBytes(schema.kind, choose);
    case "enum":
      return symbol(schema.symbols, choose);
    case "fixed": {
      const bytes = Buffer.alloc(schema.size, 0xfe);
      return leaf(bytes, { bytes: bytes.toString("hex") });
    }
    case "array":
      return items(schema.items, choose, depth);
    case "map":
      return values(schema.values, choose, depth);
    case "record":
      return record(schema, choose, depth);
    default:
      return schema satisfies never;
  }
}

function leaf(bytes: Buffer, value: Json): Datum {
  return { bytes, read: () => value };
}

function textOrBytes(kind: "string" | "bytes", choose: Choose): Datum {
  const bytes = kind === "string" ? Buffer.from("hä") : Buffer.from(choose(2) === 0 ? "fffe" : "6869", "hex");
  return {
    bytes: Buffer.concat([long(bytes.length), bytes]),
    read: (reader) => ((reader?.kind ?? kind) === "string" ? bytes.toString("utf8") : { bytes: bytes.toString("hex") }),
  };
}

function symbol(symbols: readonly string[], choose: Choose): Datum {
  const at = choose(symbols.length);
  const written = symbols[at];
  if (written === undefined) throw new Error("an empty enum has no value");
  const read = (reader?: AvroSchema): Json =>
    reader?.kind === "enum" && !reader.symbols.includes(written) ? (reader.default ?? null) : written;
  return { bytes: long(at), read };
}

function items(schema: AvroSchema, choose: Choose, depth: number): Datum {
  const list = depth > 8 ? [] : [datum(schema, choose, depth + 1), datum(schema, choose, depth + 1)];
  const start = list.length === 0 ? [] : [long(list.length)];
  return {
    bytes: Buffer.concat([...start, ...list.map(({ bytes }) => bytes), long(0)]),
    read: (reader) => list.map((one) => one.read(reader?.kind === "array" ? reader.items : undefined)),
  };
}

function values(schema: AvroSchema, choose: Choose, depth: number): Datum {
  if (depth > 8) return leaf(long(0), {});
  const value = datum(schema, choose, depth + 1);
  return {
    bytes: Buffer.concat([long(1), long(1), Buffer.from("k"), value.bytes, long(0)]),
    read: (reader) => ({ k: value.read(reader?.kind === "map" ? reader.values : undefined) }),
  };
}

function record(schema: AvroRecord, choose: Choose, depth: number): Datum {
  const written = schema.fields.map((field) => ({ field, value: datum(field.type, choose, depth + 1) }));
  const own = (): Json => object(written.map(({ field, value }) => [field.name, value.read()]));
  return {
    bytes: Buffer.concat(written.map(({ value }) => value.bytes)),
    read: (reader) => {
      if (reader?.kind !== "record") return own();
      return object(
        reader.fields.map((field) => {
          const [source] = writtenFields(field, schema);
          const from = written.find((one) => one.field === source);
          return [field.name, from === undefined ? defaultOf(field.type, field.default) : from.value.read(field.type)];
        }),
      );
    },
  };
}

function object(entries: readonly (readonly [string, Json])[]): Json {
  return Object.fromEntries(entries);
}

/** A default as it is read; for a union, by the first branch that it fits. */
function defaultOf(type: AvroSchema, value: Json | undefined): Json {
  if (value === undefined) throw new Error("no default");
  if (type.kind === "union") return defaultOf(type.branches.find((branch) => fits(branch, value)) ?? type, value);
  if ((type.kind === "bytes" || type.kind === "fixed") && typeof value === "string") {
    return { bytes: Buffer.from(value, "latin1").toString("hex") };
  }
  if (type.kind === "array" && Array.isArray(value)) return value.map((one: Json) => defaultOf(type.items, one));
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = new Map(Object.entries(value));
  if (type.kind === "map") return object([...entries].map(([key, one]) => [key, defaultOf(type.values, one)]));
  if (type.kind !== "record") return value;
  const of = (field: RecordField): Json => defaultOf(field.type, entries.get(field.name) ?? field.default);
  return object(type.fields.map((field) => [field.name, of(field)]));
}

function fits(type: AvroSchema, value: Json): boolean {
  if (value === null) return type.kind === "null";
  if (typeof value === "boolean") return type.kind === "boolean";
  if (typeof value === "number") return ["int", "long", "float", "double"].includes(type.kind);
  if (typeof value === "string") return ["string", "bytes", "fixed", "enum"].includes(type.kind);
  return Array.isArray(value) ? type.kind === "array" : type.kind === "map" || type.kind === "record";
}

/** Java's choice: first the exact type, then an alias, then the same kind, then a promotion. */
function branchFor(branches: readonly AvroSchema[], written: AvroSchema): AvroSchema | undefined {
  const reads = branches.filter((branch) => checkCompatibility(branch, written).compatible);
  const alike = reads.filter(({ kind }) => kind === written.kind);
  const named = (test: (branch: AvroSchema) => boolean): AvroSchema | undefined => alike.find(test);
  return (
    named((branch) => isNamed(branch) && isNamed(written) && branch.aliases.includes(written.fullName)) ??
    named((branch) => isNamed(branch) && isNamed(written) && branch.fullName === written.fullName) ??
    named((branch) => isNamed(branch) && isNamed(written) && hasNameOf(branch, written)) ??
    alike[0] ??
    reads[0]
  );
}

/** Avro's variable-length zig-zag number. */
function long(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}
