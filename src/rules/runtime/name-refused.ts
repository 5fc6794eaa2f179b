import { isNamed, isPrimitive, type AvroNamed } from "../../avro/schema.ts";
import type { Runtime, RuntimeRule } from "./rule.ts";
import { type Place } from "./walk.ts";

const ASCII = /^\.?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;

/** Java accepts any Unicode letter, and a type with a primitive's name if it has a namespace. */
export const nameRefused: RuntimeRule = {
  id: "runtime/name-refused",
  problem: "a name that Java accepts but the library does not: with a letter beyond ASCII, or a primitive type's name",
  severity: "error",
  runtimes: ["avsc", "fastavro", "python-avro", "ruby-avro", "avro-rs"],
  effect: "throws",
  inSchema: (runtime, places) =>
    places.flatMap((place) =>
      refusedAt(runtime, place).map((name) => ({
        path: place.path,
        certainty: "always",
        whole: true,
        effectStated: true,
        describe: (at) => `${at} has the name "${name}": ${runtime} rejects the schema`,
        remedy: "use only the letters A to Z, digits and underscores, and no names of primitive types",
      })),
    ),
};

function refusedAt(runtime: Runtime, { schema, path, field, again }: Place): readonly string[] {
  // All libraries check the names and symbols of types, but only two check the name of a field.
  const ofField = field !== undefined && (runtime === "avsc" || runtime === "avro-rs") ? path.slice(-1) : [];
  const names = isNamed(schema) && !again ? namesOf(runtime, schema) : [];
  const primitive =
    isNamed(schema) && !again && isPrimitive(schema.name) && CHECKS_PRIMITIVES.has(runtime) ? [schema.fullName] : [];
  return [...[...ofField, ...names].filter((name) => !ASCII.test(name)), ...primitive];
}

const CHECKS_PRIMITIVES: ReadonlySet<Runtime> = new Set(["avsc", "python-avro", "ruby-avro"]);

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
