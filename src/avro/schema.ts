import type { Json } from "../json.ts";

/** An Avro schema as plain data, with every reference resolved. `parse.ts` creates it; all other code only reads it. */

/** Properties that have no meaning in Avro's grammar, e.g. `connect.name`, `logicalType`, `precision`. */
type Props = Readonly<Record<string, Json>>;

export type PrimitiveKind = "null" | "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string";

interface AvroPrimitive {
  readonly kind: PrimitiveKind;
  readonly props: Props;
}

interface AvroArray {
  readonly kind: "array";
  readonly items: AvroSchema;
  readonly props: Props;
}

interface AvroMap {
  readonly kind: "map";
  readonly values: AvroSchema;
  readonly props: Props;
}

export interface AvroUnion {
  readonly kind: "union";
  readonly branches: readonly AvroSchema[];
}

interface Named {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly fullName: string;
  /**
   * Full names. `.Y` means an alias in the null namespace on a type that has a namespace; Java's rule never matches it.
   */
  readonly aliases: readonly string[];
  readonly doc: string | undefined;
  readonly props: Props;
}

export interface AvroRecord extends Named {
  readonly kind: "record";
  readonly fields: readonly RecordField[];
}

export interface AvroEnum extends Named {
  readonly kind: "enum";
  readonly symbols: readonly string[];
  /** It is one of the symbols. */
  readonly default: string | undefined;
}

export interface AvroFixed extends Named {
  readonly kind: "fixed";
  readonly size: number;
}

export type AvroNamed = AvroRecord | AvroEnum | AvroFixed;

/**
 * A schema as a value. A reference by name is the same object as the type that it names, so the graph may have cycles.
 * Two nodes are the same named type exactly if they are the same object. Every occurrence of an unnamed type is its own
 * object.
 */
export type AvroSchema = AvroPrimitive | AvroArray | AvroMap | AvroUnion | AvroNamed;

export interface RecordField {
  readonly name: string;
  readonly type: AvroSchema;
  /** Undefined means that there is no default; `null` is a default. */
  readonly default: Json | undefined;
  readonly aliases: readonly string[];
  readonly order: "ascending" | "descending" | "ignore";
  readonly doc: string | undefined;
  readonly props: Props;
}

const PRIMITIVES: ReadonlySet<string> = new Set<PrimitiveKind>([
  "null",
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "bytes",
  "string",
]);

export function isPrimitive(text: string): text is PrimitiveKind {
  return PRIMITIVES.has(text);
}

export function isNamed(schema: AvroSchema): schema is AvroNamed {
  return schema.kind === "record" || schema.kind === "enum" || schema.kind === "fixed";
}
