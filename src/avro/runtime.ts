import type { Json } from "../table/shape.ts";
import { checkCompatibility } from "./compatibility.ts";
import { arrayItems } from "./runtime/array-items.ts";
import { cachedResolver } from "./runtime/cached-resolver.ts";
import { decimal } from "./runtime/decimal.ts";
import { defaultRead } from "./runtime/default-read.ts";
import { defaultRefused } from "./runtime/default-refused.ts";
import { definedTwice } from "./runtime/defined-twice.ts";
import { emptyType } from "./runtime/empty-type.ts";
import { enumDefault } from "./runtime/enum-default.ts";
import { fieldAlias } from "./runtime/field-alias.ts";
import { firstFit } from "./runtime/first-fit.ts";
import { javascriptName } from "./runtime/javascript-name.ts";
import { logicalType } from "./runtime/logical-type.ts";
import { nameRefused } from "./runtime/name-refused.ts";
import { nullNamespace } from "./runtime/null-namespace.ts";
import { promotion } from "./runtime/promotion.ts";
import type { Runtime, RuntimeFound, RuntimeRule } from "./runtime/rule.ts";
import { schemaText } from "./runtime/schema-text.ts";
import { typeName } from "./runtime/type-name.ts";
import { meetingsOf, placesOf, type Place } from "./runtime/walk.ts";
import { wrappedUnion } from "./runtime/wrapped-union.ts";
import type { AvroSchema } from "./schema.ts";

/** The catalogue: what Java accepts, and another library refuses or reads otherwise. */
export const RUNTIME_RULES: readonly RuntimeRule[] = [
  typeName,
  fieldAlias,
  firstFit,
  wrappedUnion,
  cachedResolver,
  promotion,
  enumDefault,
  logicalType,
  decimal,
  defaultRefused,
  defaultRead,
  definedTwice,
  schemaText,
  nullNamespace,
  nameRefused,
  emptyType,
  javascriptName,
  arrayItems,
];

export interface RuntimeFinding extends RuntimeFound {
  readonly rule: RuntimeRule["id"];
}

/** Who reads what. Without a reader's schema it decodes with the writer's. */
export interface RuntimePair {
  readonly reader?: AvroSchema | undefined;
  readonly writer: AvroSchema;
  /** The reader's schema as it is written: its order of names is not in `reader`. */
  readonly text?: Json | undefined;
}

/** By schema: one reader is judged on many candidates. */
const places = new WeakMap<AvroSchema, readonly Place[]>();

/**
 * What goes wrong, or otherwise than in Java, when `runtime` reads a pair that Java's rule accepts. A pair that it
 * refuses gives nothing: that has its own findings.
 */
export function runtimeFindings(runtime: Runtime, { reader, writer, text }: RuntimePair): readonly RuntimeFinding[] {
  const rules = RUNTIME_RULES.filter(
    ({ runtimes, concerns }) =>
      runtimes.includes(runtime) && (concerns === undefined || (reader !== undefined && concerns(placesIn(reader)))),
  );
  if (rules.length === 0) return [];
  if (reader !== undefined && !checkCompatibility(reader, writer).compatible) return [];
  const sight = {
    runtime,
    reader,
    writer,
    parsed: (reader === undefined ? [writer] : [reader, writer]).map(placesIn),
    meetings: reader === undefined ? [] : meetingsOf(reader, writer),
    text,
  };
  return rules.flatMap((rule) => rule.find(sight).map((found) => ({ ...found, rule: rule.id })));
}

function placesIn(schema: AvroSchema): readonly Place[] {
  const known = places.get(schema) ?? placesOf(schema);
  places.set(schema, known);
  return known;
}
