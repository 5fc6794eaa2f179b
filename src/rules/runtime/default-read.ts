import type { AvroSchema } from "../../avro/schema.ts";
import type { Runtime, RuntimeRule } from "./rule.ts";
import { isUsed } from "./walk.ts";
import { type Json, isArray, isObject } from "../../json.ts";

/**
 * A field that is missing from the events is filled from the reader's default. Java reads the default as the
 * specification says: each byte is a character below U+0100. The other libraries read some of these defaults as a
 * different value.
 */
export const defaultRead: RuntimeRule = {
  id: "runtime/default-read",
  problem: "the events lack a field, and the library reads its default as a different value than Java does",
  severity: "error",
  runtimes: ["fastavro", "python-avro", "ruby-avro", "avro-rs"],
  effect: "reads-wrong-value",
  find: (sight) => {
    const places = sight.reader === undefined ? [] : (sight.parsed[0] ?? []);
    return places.flatMap(({ schema, path, field }) => {
      const why = field?.default === undefined ? undefined : whyDifferent(sight.runtime, schema, field.default);
      if (why === undefined || !isUsed(sight.meetings, path)) return [];
      return [
        {
          path,
          certainty: "always",
          describe: (at) =>
            `${at} is not in the events, and ${sight.runtime} reads its default differently from Java: ${why}`,
          remedy: "give it a different default, or leave it out of the reader's schema until it flows",
        },
      ];
    });
  },
};

/** Why the runtime reads this default differently; undefined if it reads it like Java. */
function whyDifferent(runtime: Runtime, schema: AvroSchema, value: Json): string | undefined {
  if ((schema.kind === "bytes" || schema.kind === "fixed") && typeof value === "string") {
    return bytesRead(runtime, value);
  }
  if (schema.kind === "union") {
    const [first] = schema.branches;
    if (first === undefined) return undefined;
    if (runtime === "avro-rs" && first.kind === "null" && value !== null)
      return "it reads null, the union's first branch";
    return runtime === "fastavro"
      ? firstWhy(schema.branches.map((one) => whyDifferent(runtime, one, value)))
      : whyDifferent(runtime, first, value);
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
          ? `it leaves out "${name}"`
          : own === undefined
            ? undefined
            : inner(runtime, type, own);
      return inner(runtime, type, given);
    }),
  );
}

/**
 * Why a default inside this one is read differently. Here, Ruby's library takes a union's first branch without an
 * error.
 */
function inner(runtime: Runtime, schema: AvroSchema, value: Json): string | undefined {
  const isOther = schema.kind === "union" && schema.branches[0]?.kind === "null" && value !== null;
  if (runtime === "avro-rs" && schema.kind === "union") return undefined;
  return runtime === "ruby-avro" && isOther
    ? "inside it, it takes a union's first branch, null"
    : whyDifferent(runtime, schema, value);
}

function bytesRead(runtime: Runtime, value: string): string | undefined {
  switch (runtime) {
    case "fastavro":
    case "ruby-avro":
      return "it returns bytes as text";
    case "python-avro":
    case "avro-rs":
      return /[^\0-\x7f]/.test(value) ? "its bytes are the UTF-8 of the text" : undefined;
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
