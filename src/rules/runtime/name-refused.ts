import { isNamed, isPrimitive, type AvroNamed } from "../../avro/schema.ts";
import type { Runtime, RuntimeRule } from "./rule.ts";
import { type Place } from "./walk.ts";

const ASCII = /^\.?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;

/** Java takes any Unicode letter, and a type called like a primitive when it has a namespace. */
export const nameRefused: RuntimeRule = {
  id: "runtime/name-refused",
  problem: "a name that Java takes and the library does not: a letter beyond ASCII, or a primitive type's name",
  severity: "error",
  runtimes: ["avsc", "fastavro", "python-avro", "ruby-avro", "avro-rs"],
  effect: "throws",
  inSchema: (runtime, places) =>
    places.flatMap((place) =>
      refusedAt(runtime, place).map((name) => ({
        path: place.path,
        certainty: "always",
        whole: true,
        describe: (at) => `${at} has the name "${name}": ${runtime} refuses the schema`,
        remedy: "keep to the letters A to Z, digits and underscores, and off the names of primitive types",
      })),
    ),
};

function refusedAt(runtime: Runtime, { schema, path, field, again }: Place): readonly string[] {
  // fastavro and the others look at a type's names and symbols, only two at a field's
  const ofField = field !== undefined && (runtime === "avsc" || runtime === "avro-rs") ? path.slice(-1) : [];
  const names = isNamed(schema) && !again ? namesOf(runtime, schema) : [];
  const primitive =
    isNamed(schema) && !again && isPrimitive(schema.name) && LOOKS_AT_PRIMITIVES.has(runtime) ? [schema.fullName] : [];
  return [...[...ofField, ...names].filter((name) => !ASCII.test(name)), ...primitive];
}

const LOOKS_AT_PRIMITIVES: ReadonlySet<Runtime> = new Set(["avsc", "python-avro", "ruby-avro"]);

function namesOf(runtime: Runtime, schema: AvroNamed): readonly string[] {
  const symbols = schema.kind === "enum" ? schema.symbols : [];
  switch (runtime) {
    case "avsc":
    case "avro-rs":
      return [schema.fullName, ...schema.aliases, ...symbols];
    case "python-avro":
      return [schema.fullName, ...symbols];
    case "ruby-avro":
      return [schema.name, ...symbols];
    case "fastavro":
      return symbols;
    case "java":
      return [];
    default:
      return runtime satisfies never;
  }
}
