import { qualify, splitName } from "../../avro/name.ts";
import { isPrimitive } from "../../avro/schema.ts";
import { oncePer } from "../../once.ts";
import type { Runtime, RuntimeFound, RuntimeRule } from "./rule.ts";
import { type Json, isArray, isObject, type JsonObject } from "../../json.ts";

/** What only a schema's text shows: the order of its names, and how things are written. */
export const schemaText: RuntimeRule = {
  id: "runtime/schema-text",
  problem: "a schema written as only Java takes it: a type named before its definition, or in another way",
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
            describe: (at) => `${at} ${why}: ${runtime} does not take the schema so`,
            remedy,
          })),
};

interface Oddity extends Pick<RuntimeFound, "path"> {
  readonly why: string;
  readonly remedy: string;
  /** undefined: all. */
  readonly runtimes?: readonly Runtime[];
}

/** One reader is judged on many candidates. */
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
    const remedy = `define ${name} where it is met first`;
    found.push({ path, why: `means ${name} before its definition`, remedy });
  };
  const define = (json: JsonObject, name: string, namespace: string | undefined, path: readonly string[]): void => {
    const space = textIn(json["namespace"]);
    const own = splitName(name, space ?? namespace);
    defined.add(own.fullName);
    if (json["type"] === "error") {
      found.push({ path, why: "is an error", remedy: "write record", runtimes: ["avro-rs"] });
    }
    if (name.includes(".") && space !== undefined && space !== (own.namespace ?? "")) {
      const why = `is named ${name} beside the namespace ${space}, which avsc gives to what is inside`;
      found.push({ path, why, remedy: "leave the namespace out", runtimes: ["avsc"] });
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
    const remedy = `write "${type}" alone`;
    found.push({ path, why: `has ${type} as the type of an object`, remedy, runtimes: NO_OBJECTS });
  };
  visit(text, undefined, []);
  return found;
}

const NO_OBJECTS: readonly Runtime[] = ["avsc", "fastavro", "python-avro", "ruby-avro"];

function textIn(json: Json | undefined): string | undefined {
  return typeof json === "string" ? json : undefined;
}
