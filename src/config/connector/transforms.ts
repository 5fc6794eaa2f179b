import type { Mistake } from "../../mistake.ts";
import { regexRoute, type Route } from "./route.ts";

/** What a file's transforms make of the events. */
export interface Transforms {
  /** Events are rows, with fields of these names added. undefined: they are envelopes. */
  readonly unwrapped: ReadonlySet<string> | undefined;
  readonly route: Route | undefined;
}

type Flat = Readonly<Record<string, unknown>>;

const UNWRAP = "io.debezium.transforms.ExtractNewRecordState";
const ROUTE = "org.apache.kafka.connect.transforms.RegexRouter";
const NOT_FOLLOWED = `is not followed: only ${UNWRAP}, ${ROUTE} and what leaves topics and schemas alone (docs/watch.md)`;

/** They leave the topics and the schemas of the events that are published as they are. */
const HARMLESS: readonly string[] = [
  "io.debezium.transforms.Filter",
  "org.apache.kafka.connect.transforms.DropHeaders",
  "org.apache.kafka.connect.transforms.Filter",
  "org.apache.kafka.connect.transforms.InsertHeader",
];

/** Of UNWRAP; the rest of its options is about rows, deletes and headers. */
const MOVING = /^(?:route\.by\.field|drop\.fields\..*)$/;

/** Is it a key of Kafka Connect's transforms? */
export function isTransformKey(key: string): boolean {
  return /^(?:transforms|predicates)(?:\.|$)/.test(key);
}

/**
 * Reads `transforms` and its keys: those of a Debezium that is watched. A transform whose effect on topics and schemas
 * is not known is a mistake. Predicates decide which records one is for: the registry says what came of it.
 */
export function readTransforms(flat: Flat, mistakes: Mistake[]): Transforms {
  let transforms: Transforms = { unwrapped: undefined, route: undefined };
  const names = textOf(flat["transforms"]).split(",");
  for (const name of names.map((one) => one.trim()).filter((one) => one !== "")) {
    const prefix = `transforms.${name}.`;
    const type = textOf(flat[`${prefix}type`]).trim();
    if (type === UNWRAP) transforms = { ...transforms, unwrapped: addedBy(flat, prefix, mistakes) };
    else if (type === ROUTE)
      transforms = { ...transforms, route: after(transforms.route, routeBy(flat, prefix, mistakes)) };
    else if (!HARMLESS.includes(type)) mistakes.push({ key: `${prefix}type`, reason: NOT_FOLLOWED });
  }
  return transforms;
}

/** One after the other. */
function after(first: Route | undefined, then: Route | undefined): Route | undefined {
  return first === undefined || then === undefined ? (then ?? first) : (topic) => then(first(topic));
}

function routeBy(flat: Flat, prefix: string, mistakes: Mistake[]): Route | undefined {
  if (flat[`${prefix}predicate`] !== undefined) {
    mistakes.push({ key: `${prefix}predicate`, reason: "is not followed: which topics are renamed is not known then" });
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
      mistakes.push({ key, reason: "is not followed: it takes fields or topics by what a row holds" });
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

/** `op`, `source.lsn` as `source_lsn`, `ts_ms:time` as `time` (AbstractExtractNewRecordState.FieldReference). */
function addedName(reference: string): string {
  const [field = "", newName] = reference.split(":");
  return newName ?? field.replace(".", "_");
}

/** A file may say numbers and truths as such; what is absent is empty. */
function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
