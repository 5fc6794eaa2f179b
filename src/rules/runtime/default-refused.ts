import type { AvroSchema } from "../../avro/schema.ts";
import type { Runtime, RuntimeFound, RuntimeRule } from "./rule.ts";
import { isUsed } from "./walk.ts";
import { isWrapped } from "./wrapped-union.ts";
import { type Json, isArray, isObject } from "../../json.ts";

/**
 * Since 1.12, Java accepts a default for any branch of a union (AVRO-3649), numbers written as text, and any symbol or
 * length. The other libraries are stricter, each in its own way: some reject the schema, and some throw once the
 * default is needed. `Form` describes what a library accepts.
 */
export const defaultRefused: RuntimeRule = {
  id: "runtime/default-refused",
  problem:
    "a default that Java accepts but the library does not: for a later branch of a union, or in a different form",
  severity: "error",
  runtimes: ["avsc", "ruby-avro", "python-avro", "avro-rs"],
  effect: "throws",
  inSchema: (runtime, places) =>
    places.flatMap(({ field, path, schema }) =>
      field?.default !== undefined && isRefused(PARSED, runtime, schema, field.default)
        ? [{ ...refused(path, runtime, "rejects the schema"), whole: true }]
        : [],
    ),
  find: (sight) => {
    const { runtime, reader, parsed } = sight;
    if (reader === undefined || READ[runtime] === undefined) return [];
    return (parsed[0] ?? []).flatMap(({ field, path, schema }) => {
      if (field?.default === undefined || isRefused(PARSED, runtime, schema, field.default)) return [];
      if (!isRefused(READ, runtime, schema, field.default) || !isUsed(sight.meetings, path)) return [];
      return [refused(path, runtime, "throws when the events lack the field")];
    });
  },
};

function refused(path: readonly string[], runtime: Runtime, what: string): RuntimeFound {
  return {
    path,
    certainty: "always",
    effectStated: true,
    describe: (at) => `${at} has a default that ${runtime} does not accept: it ${what}`,
    remedy: "write a default for the union's first branch, in the form and length of its type",
  };
}

function isRefused(by: ByRuntime, runtime: Runtime, schema: AvroSchema, value: Json): boolean {
  return by[runtime]?.(schema, value) ?? false;
}

type ByRuntime = Partial<Readonly<Record<Runtime, (schema: AvroSchema, value: Json) => boolean>>>;

/** Which defaults are rejected together with the schema, and which are rejected when they are needed. */
const PARSED: ByRuntime = {
  avsc: (schema, value) => !fits(AVSC, schema, value),
  "ruby-avro": (schema, value) => !fits(RUBY, firstOf(schema), value),
  "avro-rs": (schema, value) => !fits(RUST, schema, value),
};
const READ: ByRuntime = {
  "python-avro": (schema, value) => !fits(PYTHON, schema, value),
  // If the first branch is null, it reads null: see default-read.
  "avro-rs": (schema, value) => firstOf(schema).kind !== "null" && !fits(RUST, firstOf(schema), value),
};

interface Form {
  /** Whether a union's default must belong to its first branch, at every depth. */
  readonly firstBranch: boolean;
  /** Whether a record's default may omit a field of this type that has a default of its own. */
  readonly leavesOut: (type: AvroSchema, value: Json | undefined) => boolean;
  readonly long: (value: number) => boolean;
  readonly double: (value: Json) => boolean;
  readonly fixed: (value: string, size: number) => boolean;
  readonly anySymbol: boolean;
}

const ANY = { long: () => true, fixed: () => true, leavesOut: () => true };
const NUMBER = (value: Json): boolean => typeof value === "number";

const AVSC: Form = {
  firstBranch: true,
  leavesOut: survives,
  // Its limits are one less than JavaScript's.
  long: (value) => Math.abs(value) < Number.MAX_SAFE_INTEGER,
  double: NUMBER,
  fixed: (value, size) => value.length === size,
  anySymbol: false,
};
const RUBY: Form = {
  ...ANY,
  firstBranch: false,
  leavesOut: (type) =>
    type.kind === "null" || (type.kind === "union" && type.branches.some(({ kind }) => kind === "null")),
  double: NUMBER,
  fixed: (value, size) => new TextEncoder().encode(value).length === size,
  anySymbol: false,
};
const PYTHON: Form = {
  ...ANY,
  firstBranch: true,
  // In this library, JSON's 3 is not a float, but 3.5 is.
  double: (value) => typeof value === "number" && !Number.isInteger(value),
  anySymbol: true,
};
const RUST: Form = {
  ...ANY,
  firstBranch: false,
  double: (value) => NUMBER(value) || ["NaN", "INF", "-INF", "Infinity", "-Infinity"].some((text) => text === value),
  anySymbol: false,
};

function fits(form: Form, schema: AvroSchema, value: Json | undefined): boolean {
  switch (schema.kind) {
    case "null":
      return value === null;
    case "boolean":
      return typeof value === "boolean";
    case "int":
      return typeof value === "number";
    case "long":
      return typeof value === "number" && form.long(value);
    case "float":
    case "double":
      return value !== undefined && form.double(value);
    case "string":
    case "bytes":
      return typeof value === "string";
    case "fixed":
      return typeof value === "string" && form.fixed(value, schema.size);
    case "enum":
      return typeof value === "string" && (form.anySymbol || schema.symbols.includes(value));
    case "array":
      return isArray(value) && value.every((one) => fits(form, schema.items, one));
    case "map":
      return isObject(value) && Object.values(value).every((one) => fits(form, schema.values, one));
    case "union": {
      const branches = form.firstBranch ? schema.branches.slice(0, 1) : schema.branches;
      return branches.some((branch) => fits(form, branch, value));
    }
    case "record":
      return (
        isObject(value) &&
        schema.fields.every(({ name, type, default: own }) =>
          Object.hasOwn(value, name) ? fits(form, type, value[name]) : form.leavesOut(type, own),
        )
      );
    default:
      return schema satisfies never;
  }
}

/** avsc converts such a default twice, which fails unless the result of the first conversion is still valid JSON. */
function survives(type: AvroSchema, value: Json | undefined): boolean {
  switch (type.kind) {
    case "bytes":
    case "fixed":
      return false;
    case "union": {
      const [first] = type.branches;
      if (isWrapped(type.branches)) return value === null && first?.kind === "null";
      return first !== undefined && survives(first, value);
    }
    case "array":
      return !isArray(value) || value.every((one) => survives(type.items, one));
    case "map":
      return !isObject(value) || Object.values(value).every((one) => survives(type.values, one));
    case "record":
      return type.fields.every(({ name, type: inner, default: own }) =>
        survives(inner, isObject(value) && Object.hasOwn(value, name) ? value[name] : own),
      );
    default:
      return true;
  }
}

function firstOf(schema: AvroSchema): AvroSchema {
  return schema.kind === "union" ? (schema.branches[0] ?? schema) : schema;
}
