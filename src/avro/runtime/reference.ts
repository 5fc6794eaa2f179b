import type { Json } from "../../table/shape.ts";
import { isArray, isObject } from "../json.ts";
import { qualify, splitName } from "../name.ts";
import { isPrimitive } from "../schema.ts";
import type { RuntimeFound, RuntimeRule } from "./rule.ts";
import { textOf } from "./walk.ts";

/** What only a schema's text shows: the order of its names, and how they are written. */
export const reference: RuntimeRule = {
  id: "runtime/reference",
  problem: "a type is named before its definition, or as an object's type: only Java finds it",
  severity: "error",
  runtimes: ["avsc", "fastavro", "python-avro", "ruby-avro", "avro-rs"],
  find: ({ runtime, text }) =>
    text === undefined
      ? []
      : namesIn(text).map(({ path, why, name }) => ({
          path,
          certainty: "always",
          whole: true,
          message: `${textOf(path)} means ${name} ${why}: ${runtime} refuses the schema`,
          remedy: `define ${name} where it is met first, and write its name alone from then on`,
        })),
};

interface Name extends Pick<RuntimeFound, "path"> {
  readonly name: string;
  readonly why: string;
}

const OWN = new Set(["record", "error", "enum", "fixed", "array", "map"]);

function namesIn(text: Json): readonly Name[] {
  const defined = new Set<string>();
  const early: Name[] = [];
  const refer = (name: string, namespace: string | undefined, path: readonly string[]): void => {
    if (isPrimitive(name) || defined.has(qualify(name, namespace)) || defined.has(name)) return;
    early.push({ path, name, why: "before its definition" });
  };
  const visit = (json: Json | undefined, namespace: string | undefined, path: readonly string[]): void => {
    if (typeof json === "string") return refer(json, namespace, path);
    if (isArray(json)) return json.forEach((branch) => visit(branch, namespace, path));
    if (!isObject(json)) return;
    const { type, name, namespace: space } = json;
    if (typeof type === "string" && !OWN.has(type) && !isPrimitive(type)) {
      return void early.push({ path, name: type, why: "as the type of an object" });
    }
    if (type === "array") return visit(json["items"], namespace, [...path, "[]"]);
    if (type === "map") return visit(json["values"], namespace, [...path, "{}"]);
    if (typeof name !== "string" || typeof type !== "string") return;
    const own = splitName(name, typeof space === "string" ? space : namespace);
    defined.add(own.fullName);
    for (const field of isArray(json["fields"]) ? json["fields"] : []) {
      if (isObject(field)) visit(field["type"], own.namespace, [...path, String(field["name"])]);
    }
  };
  visit(text, undefined, []);
  return early;
}
