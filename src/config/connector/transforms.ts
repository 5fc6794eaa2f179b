/**
 * Debezium's own transforms, as far as Fieldgate supports them in watch mode. Two of them change topics or schemas in a
 * known way, and some change neither; every other transform is a mistake.
 */
import type { Mistake } from "../../mistake.ts";
import { regexRoute, type Route } from "./route.ts";
import { page } from "../../page.ts";

/** How a file's transforms change the events. */
export interface Transforms {
  /** Events are unwrapped rows with these fields added. undefined: they are envelopes. */
  readonly unwrapped: ReadonlySet<string> | undefined;
  readonly route: Route | undefined;
}

type Flat = Readonly<Record<string, unknown>>;

const UNWRAP = "io.debezium.transforms.ExtractNewRecordState";
const ROUTE = "org.apache.kafka.connect.transforms.RegexRouter";
const NOT_FOLLOWED = `is not supported. Supported are ${UNWRAP}, ${ROUTE}, and transforms that change neither topics nor schemas (${page("watch.md")})`;

/** Transforms that do not change the topics or schemas of the events. */
const HARMLESS: readonly string[] = [
  "io.debezium.transforms.Filter",
  "org.apache.kafka.connect.transforms.DropHeaders",
  "org.apache.kafka.connect.transforms.Filter",
  "org.apache.kafka.connect.transforms.InsertHeader",
];

/** Options of UNWRAP that change topics or schemas. Its other options concern rows, deletes and headers. */
const MOVING = /^(?:route\.by\.field|drop\.fields\..*)$/;

/** True for a key of Kafka Connect's transforms or predicates. */
export function isTransformKey(key: string): boolean {
  return /^(?:transforms|predicates)(?:\.|$)/.test(key);
}

/**
 * Reads `transforms` and its keys. A transform whose effect on topics or schemas is unknown is a mistake. Predicates
 * decide which records a transform applies to. They are not evaluated, because the registry shows the result.
 */
export function readTransforms(flat: Flat, mistakes: Mistake[]): Transforms {
  let transforms: Transforms = { unwrapped: undefined, route: undefined };
  const names = textOf(flat["transforms"]).split(",");
  for (const name of names.map((one) => one.trim()).filter((one) => one !== "")) {
    const prefix = `transforms.${name}.`;
    const type = textOf(flat[`${prefix}type`]).trim();
    if (type === UNWRAP) transforms = { ...transforms, unwrapped: addedBy(flat, prefix, mistakes) };
    else if (type === ROUTE)
      transforms = { ...transforms, route: inSequence(transforms.route, routeBy(flat, prefix, mistakes)) };
    else if (!HARMLESS.includes(type)) mistakes.push({ key: `${prefix}type`, reason: NOT_FOLLOWED });
  }
  return transforms;
}

/** Applies the second route to the result of the first. */
function inSequence(first: Route | undefined, then: Route | undefined): Route | undefined {
  return first === undefined || then === undefined ? (then ?? first) : (topic) => then(first(topic));
}

function routeBy(flat: Flat, prefix: string, mistakes: Mistake[]): Route | undefined {
  if (flat[`${prefix}predicate`] !== undefined) {
    mistakes.push({
      key: `${prefix}predicate`,
      reason: "is not supported: with it, it is unknown which topics are renamed",
    });
  }
  const read = regexRoute(textOf(flat[`${prefix}regex`]), textOf(flat[`${prefix}replacement`]));
  if (read.kind === "route") return read.route;
  mistakes.push({ key: `${prefix}${read.option}`, reason: read.why });
  return undefined;
}

function addedBy(flat: Flat, prefix: string, mistakes: Mistake[]): ReadonlySet<string> {
  const option = (name: string) => textOf(flat[`${prefix}${name}`]).trim();
  for (const key of Object.keys(flat)) {
    if (key.startsWith(prefix) && MOVING.test(key.slice(prefix.length))) {
      mistakes.push({ key, reason: "is not supported: fields or topics would depend on the content of a row" });
    }
  }
  const fieldPrefix = flat[`${prefix}add.fields.prefix`] === undefined ? "__" : option("add.fields.prefix");
  const added = option("add.fields")
    .split(",")
    .map((one) => one.trim());
  const names = added.filter((one) => one !== "").map((one) => `${fieldPrefix}${addedName(one)}`);
  const deletes = option("delete.tombstone.handling.mode") || option("delete.handling.mode");
  return new Set([...names, ...(deletes.startsWith("rewrite") ? ["__deleted"] : [])]);
}

/**
 * The name of an added field: `op` for `op`, `source_lsn` for `source.lsn`, and `time` for `ts_ms:time` (Debezium's
 * FieldReference).
 */
function addedName(reference: string): string {
  const [field = "", newName] = reference.split(":");
  return newName ?? field.replace(".", "_");
}

/** Numbers and booleans need not be written as text. A missing key is read as an empty text. */
function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
