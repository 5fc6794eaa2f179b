import { qualify, splitName } from "../../avro/name.ts";
import { isPrimitive } from "../../avro/schema.ts";
import { oncePer } from "../../once.ts";
import type { Runtime, RuntimeFound, RuntimeRule } from "./rule.ts";
import { type Json, isArray, isObject, type JsonObject } from "../../json.ts";

/**
 * What only a schema's text shows: whether a type is used before it is defined, and the spelling of some attributes. A
 * parsed schema no longer contains this, so the rule walks the JSON.
 */
export const schemaText: RuntimeRule = {
  id: "runtime/schema-text",
  problem: "a schema that only Java accepts as written: for example, a type is used before its definition",
  severity: "error",
  runtimes: ["avsc", "fastavro", "python-avro", "ruby-avro", "avro-rs"],
  effect: "throws",
  find: ({ runtime, text }) =>
    text === undefined
      ? []
      : odditiesOf(text)
          .filter(({ runtimes }) => runtimes === undefined || runtimes.includes(runtime))
          .map(({ path, why, remedy }) => ({
            path,
            certainty: "always",
            whole: true,
            effectStated: true,
            describe: (at) => `${at} ${why}: ${runtime} rejects the schema`,
            remedy,
          })),
};

interface Oddity extends Pick<RuntimeFound, "path"> {
  readonly why: string;
  readonly remedy: string;
  /** Undefined means all of the rule's runtimes. */
  readonly runtimes?: readonly Runtime[];
}

/** Cached, because one reader is judged against many candidates. */
const odditiesIn = oncePer((text: Json & object) => oddities(text));

function odditiesOf(text: Json): readonly Oddity[] {
  return typeof text === "object" && text !== null ? odditiesIn(text) : oddities(text);
}

const OWN = new Set(["record", "error", "enum", "fixed", "array", "map"]);

function oddities(text: Json): readonly Oddity[] {
  const defined = new Set<string>();
  const found: Oddity[] = [];
  const refer = (name: string, namespace: string | undefined, path: readonly string[]): void => {
    if (isPrimitive(name) || defined.has(qualify(name, namespace)) || defined.has(name)) return;
    const remedy = `define ${name} where it is used first`;
    found.push({ path, why: `uses ${name} before its definition`, remedy });
  };
  const define = (json: JsonObject, name: string, namespace: string | undefined, path: readonly string[]): void => {
    const space = textIn(json["namespace"]);
    const own = splitName(name, space ?? namespace);
    defined.add(own.fullName);
    if (json["type"] === "error") {
      found.push({ path, why: "has the type error", remedy: "write record instead", runtimes: ["avro-rs"] });
    }
    if (name.includes(".") && space !== undefined && space !== (own.namespace ?? "")) {
      const why = `is named ${name} and has the namespace ${space}, which avsc applies to the types inside`;
      found.push({ path, why, remedy: "leave out the namespace", runtimes: ["avsc"] });
    }
    for (const field of isArray(json["fields"]) ? json["fields"] : []) {
      if (!isObject(field)) continue;
      const there = [...path, textIn(field["name"]) ?? ""];
      const order = textIn(field["order"]);
      if (order !== undefined && order !== order.toLowerCase()) {
        const remedy = `write ${order.toLowerCase()}`;
        found.push({ path: there, why: `has the order ${order}`, remedy, runtimes: ["avsc", "python-avro"] });
      }
      visit(field["type"], own.namespace, there);
    }
  };
  const visit = (json: Json | undefined, namespace: string | undefined, path: readonly string[]): void => {
    if (typeof json === "string") return refer(json, namespace, path);
    if (isArray(json)) return json.forEach((branch) => visit(branch, namespace, path));
    if (!isObject(json)) return;
    const { type, name } = json;
    if (type === "array") return visit(json["items"], namespace, [...path, "[]"]);
    if (type === "map") return visit(json["values"], namespace, [...path, "{}"]);
    if (typeof type !== "string" || isPrimitive(type)) return;
    if (OWN.has(type)) return typeof name === "string" ? define(json, name, namespace, path) : undefined;
    const remedy = `write only "${type}"`;
    found.push({ path, why: `wraps the type ${type} in an object`, remedy, runtimes: NO_OBJECTS });
  };
  visit(text, undefined, []);
  return found;
}

const NO_OBJECTS: readonly Runtime[] = ["avsc", "fastavro", "python-avro", "ruby-avro"];

function textIn(json: Json | undefined): string | undefined {
  return typeof json === "string" ? json : undefined;
}
