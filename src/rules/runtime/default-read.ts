import type { AvroSchema } from "../../avro/schema.ts";
import type { Runtime, RuntimeRule } from "./rule.ts";
import { isUsed } from "./used.ts";
import { type Json, isArray, isObject } from "../../json.ts";

/** Java fills a missing field from the default as the specification writes it: a byte is a letter below 256. */
export const defaultRead: RuntimeRule = {
  id: "runtime/default-read",
  problem: "the events lack a field, and the library reads another value for its default than Java",
  severity: "error",
  runtimes: ["fastavro", "python-avro", "ruby-avro", "avro-rs"],
  effect: "reads-wrong-value",
  find: (sight) => {
    const places = sight.reader === undefined ? [] : (sight.parsed[0] ?? []);
    return places.flatMap(({ schema, path, field }) => {
      const why = field?.default === undefined ? undefined : whyOther(sight.runtime, schema, field.default);
      if (why === undefined || !isUsed(sight, path)) return [];
      return [
        {
          path,
          certainty: "always",
          describe: (at) =>
            `${at} is not in the events, and ${sight.runtime} reads its default otherwise than Java: ${why}`,
          remedy: "give it another default, or take it out of the reader's schema until it flows",
        },
      ];
    });
  },
};

/** undefined: as Java reads it. */
function whyOther(runtime: Runtime, schema: AvroSchema, value: Json): string | undefined {
  if ((schema.kind === "bytes" || schema.kind === "fixed") && typeof value === "string") {
    return bytesRead(runtime, value);
  }
  if (schema.kind === "union") {
    const [first] = schema.branches;
    if (first === undefined) return undefined;
    if (runtime === "avro-rs" && first.kind === "null" && value !== null) return "null, the union's first branch";
    return runtime === "fastavro"
      ? firstWhy(schema.branches.map((one) => whyOther(runtime, one, value)))
      : whyOther(runtime, first, value);
  }
  if (schema.kind === "array" && isArray(value)) {
    return firstWhy(value.map((one) => inner(runtime, schema.items, one)));
  }
  if (schema.kind === "map" && isObject(value)) {
    return firstWhy(Object.values(value).map((one) => inner(runtime, schema.values, one)));
  }
  if (schema.kind !== "record" || !isObject(value)) return undefined;
  return firstWhy(
    schema.fields.map(({ name, type, default: own }) => {
      const given = Object.hasOwn(value, name) ? value[name] : undefined;
      if (given === undefined)
        return runtime === "fastavro"
          ? `it leaves "${name}" out`
          : own === undefined
            ? undefined
            : inner(runtime, type, own);
      return inner(runtime, type, given);
    }),
  );
}

/** Ruby's library takes the first branch inside a default without a word. */
function inner(runtime: Runtime, schema: AvroSchema, value: Json): string | undefined {
  const isOther = schema.kind === "union" && schema.branches[0]?.kind === "null" && value !== null;
  if (runtime === "avro-rs" && schema.kind === "union") return undefined;
  return runtime === "ruby-avro" && isOther
    ? "it takes a union's first branch inside it, null"
    : whyOther(runtime, schema, value);
}

function bytesRead(runtime: Runtime, value: string): string | undefined {
  switch (runtime) {
    case "fastavro":
    case "ruby-avro":
      return "bytes come as text";
    case "python-avro":
    case "avro-rs":
      return /[^\0-\x7f]/.test(value) ? "its bytes are the text's UTF-8" : undefined;
    case "avsc":
    case "java":
      return undefined;
    default:
      return runtime satisfies never;
  }
}

function firstWhy(all: readonly (string | undefined)[]): string | undefined {
  return all.find((why) => why !== undefined);
}
