import { oncePer } from "../../once.ts";
import { explainCauses } from "../../avro/reading/cause.ts";
import { checkCompatibility } from "../../avro/reading/compatibility.ts";
import { arrayItems } from "./array-items.ts";
import { cachedResolver } from "./cached-resolver.ts";
import { decimal } from "./decimal.ts";
import { defaultRead } from "./default-read.ts";
import { defaultRefused } from "./default-refused.ts";
import { definedTwice } from "./defined-twice.ts";
import { emptyType } from "./empty-type.ts";
import { enumDefault } from "./enum-default.ts";
import { fieldAlias } from "./field-alias.ts";
import { firstFit } from "./first-fit.ts";
import { javascriptName } from "./javascript-name.ts";
import { logicalType } from "./logical-type.ts";
import { longPrecision } from "./long-precision.ts";
import { nameRefused } from "./name-refused.ts";
import { nullNamespace } from "./null-namespace.ts";
import { promotion } from "./promotion.ts";
import type { Longs, Runtime, RuntimeFound, RuntimeRule } from "./rule.ts";
import { schemaText } from "./schema-text.ts";
import { typeName } from "./type-name.ts";
import { meetingsOf, placesOf, type Place } from "./walk.ts";
import { wrappedUnion } from "./wrapped-union.ts";
import type { AvroSchema } from "../../avro/schema.ts";
import type { Json } from "../../json.ts";

/**
 * The rules about runtimes. A registry and this project's Avro engine apply Java's rules, but a consumer decodes with
 * its own library. Each library has gaps: it rejects some pairs of schemas that Java accepts, or reads them
 * differently. Every rule is one such gap, found by running the library (test/rules/runtime).
 */

/** The catalogue: what Java accepts, but a different library rejects or reads differently. */
export const RUNTIME_RULES: readonly RuntimeRule[] = [
  typeName,
  fieldAlias,
  firstFit,
  wrappedUnion,
  cachedResolver,
  promotion,
  enumDefault,
  longPrecision,
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

const rulesOf = (runtime: Runtime) => RUNTIME_RULES.filter(({ runtimes }) => runtimes.includes(runtime));
const RULES_OF: Readonly<Record<Runtime, readonly RuntimeRule[]>> = {
  avsc: rulesOf("avsc"),
  fastavro: rulesOf("fastavro"),
  "python-avro": rulesOf("python-avro"),
  "ruby-avro": rulesOf("ruby-avro"),
  "avro-rs": rulesOf("avro-rs"),
  java: rulesOf("java"),
};

export interface RuntimeFinding extends RuntimeFound {
  readonly rule: RuntimeRule["id"];
}

/** The finding's message. `path` is how the message names the place, which may differ from where it was found. */
export function messageOf({ describe }: RuntimeFound, path: readonly string[]): string {
  return describe(textOf(path));
}

/** A reader and what it reads. Without a reader's schema, it decodes with the writer's. */
export interface RuntimePair {
  readonly reader?: AvroSchema | undefined;
  readonly writer: AvroSchema;
  /** The reader's schema as written, because `reader` does not keep the order of definitions. */
  readonly text?: Json | undefined;
  /** What the consumer's library makes of a long; undefined means the library's default. */
  readonly longs?: Longs | undefined;
}

/**
 * A schema's types and the findings they give per runtime. Cached, since one reader is judged against many candidates.
 */
interface Parsed {
  readonly places: readonly Place[];
  readonly found: Map<Runtime, readonly RuntimeFinding[]>;
}

/**
 * What fails, or differs from Java, when `runtime` reads a pair that Java's decoder reads. A pair that it cannot read
 * yields nothing, because it has its own findings.
 */
export function runtimeFindings(
  runtime: Runtime,
  { reader, writer, text, longs }: RuntimePair,
): readonly RuntimeFinding[] {
  const rules = RULES_OF[runtime].filter(
    ({ concerns }) => concerns === undefined || (reader !== undefined && concerns(parsedOf(reader).places)),
  );
  if (rules.length === 0) return [];
  if (reader !== undefined && !isReadByJava(reader, writer)) return [];
  const parsed = (reader === undefined ? [writer] : [reader, writer]).map(parsedOf);
  const meetings = reader === undefined ? [] : meetingsOf(reader, writer);
  const sight = { runtime, reader, writer, parsed: parsed.map(({ places }) => places), meetings, text, longs };
  return [
    ...parsed.flatMap((schema) => foundIn(schema, runtime)),
    ...rules.flatMap((rule) => asFindings(rule, rule.find?.(sight))),
  ];
}

/** Java's decoder also reads a record under a different name, which Java's rule rejects. */
function isReadByJava(reader: AvroSchema, writer: AvroSchema): boolean {
  if (checkCompatibility(reader, writer).compatible) return true;
  const causes = explainCauses(reader, writer);
  return causes.length > 0 && causes.every(({ rule, certainty }) => rule === NAMES_DIFFER && certainty === "by-policy");
}

const NAMES_DIFFER = "avro/name-mismatch";

const parsedOf = oncePer((schema: AvroSchema): Parsed => ({ places: placesOf(schema), found: new Map() }));

function foundIn({ places, found }: Parsed, runtime: Runtime): readonly RuntimeFinding[] {
  const all =
    found.get(runtime) ?? RULES_OF[runtime].flatMap((rule) => asFindings(rule, rule.inSchema?.(runtime, places)));
  found.set(runtime, all);
  return all;
}

function asFindings({ id, effect }: RuntimeRule, found: readonly RuntimeFound[] = []): readonly RuntimeFinding[] {
  return found.map((one) => ({ effect, ...one, rule: id }));
}

/** A path as people write it: `"after.tags[]"`. */
function textOf(path: readonly string[]): string {
  return path.length === 0 ? "the whole" : `"${path.join(".").replaceAll(/\.(?=\[\]|\{\})/g, "")}"`;
}
