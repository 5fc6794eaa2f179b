import type { Json } from "../../src/json.ts";

type JsonObject = { [key: string]: Json };

/** The types named so far, each with the text of a reference to it. */
interface Writing {
  readonly named: { readonly fullName: string; readonly node: NamedNode }[];
  namespace: string | undefined;
}

/** The schema's JSON, with each name defined once. */
export function written(node: Node): Json {
  return write({ named: [], namespace: undefined }, node);
}

function write(writing: Writing, node: Node): Json {
  switch (node.kind) {
    case "primitive":
      return withLogical(node.type, node.logical);
    case "array":
      return { type: "array", items: write(writing, node.items) };
    case "map":
      return { type: "map", values: write(writing, node.values) };
    case "union":
      return writeUnion(writing, node.branches);
    case "ref":
      return keyOf(writing, node);
    default:
      return writeNamed(writing, node);
  }
}

const LOGICAL: Readonly<Record<string, readonly Json[]>> = {
  int: ["date", "time-millis"],
  long: ["timestamp-millis", "timestamp-micros"],
  bytes: [
    { logicalType: "decimal", precision: 10, scale: 2 },
    { logicalType: "decimal", precision: 10, scale: 4 },
  ],
  fixed: [
    { logicalType: "decimal", precision: 2, scale: 1 },
    { logicalType: "decimal", precision: 1, scale: 2 },
  ],
  string: ["uuid", { "connect.name": "io.debezium.data.Json" }],
};

function logicalOf(type: string, which: number): JsonObject {
  const found = which === 0 ? undefined : LOGICAL[type]?.[which - 1];
  if (found === undefined) return {};
  return typeof found === "string" ? { logicalType: found } : (found as JsonObject); // LOGICAL has these two
}

function withLogical(type: string, which: number): Json {
  const logical = logicalOf(type, which);
  return Object.keys(logical).length === 0 ? type : { type, ...logical };
}

/** No union directly inside a union and no type twice: schemas that do not parse are rarely worth asking about. */
function writeUnion(writing: Writing, branches: readonly Node[]): Json {
  const seen = new Set<string>();
  return branches.flatMap((branch) => {
    const key = keyOf(writing, branch);
    if (branch.kind === "union" || seen.has(key)) return [];
    seen.add(key);
    return [write(writing, branch)];
  });
}

function keyOf(writing: Writing, node: Node): string {
  if (node.kind === "primitive") return node.type;
  if (node.kind === "ref") return referred(writing, node.to)?.fullName ?? "int";
  return "name" in node ? fullNameOf(writing, node) : node.kind;
}

function referred({ named }: Writing, to: number): Writing["named"][number] | undefined {
  return named[to % Math.max(1, named.length)];
}

/** A type without its own namespace is in the namespace of the type around it. */
function fullNameOf(writing: Writing, node: NamedNode): string {
  const namespace = node.namespace ?? writing.namespace;
  return namespace === undefined ? node.name : `${namespace}.${node.name}`;
}

function writeNamed(writing: Writing, node: NamedNode): Json {
  const outer = writing.namespace;
  const fullName = fullNameOf(writing, node);
  if (writing.named.some((one) => one.fullName === fullName)) return fullName;
  writing.named.push({ fullName, node });
  const { name, aliases } = node;
  const head = {
    name,
    ...(node.namespace === undefined ? {} : { namespace: node.namespace }),
    ...(aliases.length === 0 ? {} : { aliases: [...new Set(aliases)] }),
  };
  writing.namespace = node.namespace ?? outer;
  const json = { type: node.kind, ...head, ...bodyOf(writing, node) };
  writing.namespace = outer;
  return json;
}

function bodyOf(writing: Writing, node: NamedNode): JsonObject {
  switch (node.kind) {
    case "record":
      return { fields: node.fields.map((field) => writeField(writing, field)) };
    case "enum":
      return {
        symbols: node.symbols,
        ...(node.default === undefined ? {} : { default: node.symbols[node.default % node.symbols.length] ?? "" }),
      };
    case "fixed":
      return { size: node.size, ...logicalOf("fixed", node.logical) };
    default:
      return node satisfies never;
  }
}

function writeField(writing: Writing, { name, aliases, type, default: wanted }: FieldNode): Json {
  const json = write(writing, type);
  const value = wanted === undefined ? undefined : defaultOf(writing, type, wanted, 0);
  return {
    name,
    type: json,
    ...(aliases.length === 0 ? {} : { aliases: [...new Set(aliases)] }),
    ...(value === undefined ? {} : { default: value }),
  };
}

const DEFAULTS: Readonly<Record<string, readonly Json[]>> = {
  null: [null],
  boolean: [true, false],
  int: [0, 7],
  long: [0, 2 ** 40],
  float: [0.5, 1],
  double: [0.5, 1],
  bytes: ["", "\u00ff"],
  string: ["", "x"],
};

/** A default that fits, or with -1 one that may not; undefined if there is none, as for a record inside itself. */
function defaultOf(writing: Writing, node: Node, wanted: number, depth: number): Json | undefined {
  if (wanted < 0) return 7;
  if (depth > 3) return undefined;
  switch (node.kind) {
    case "primitive": {
      const values = DEFAULTS[node.type] ?? [];
      return values[wanted % values.length];
    }
    case "array":
      return [];
    case "map":
      return {};
    case "union": {
      const branches = node.branches.filter((branch) => branch.kind !== "union");
      const branch = branches[wanted % Math.max(1, branches.length)];
      return branch === undefined ? undefined : defaultOf(writing, branch, wanted, depth);
    }
    case "ref": {
      const found = referred(writing, node.to);
      return found === undefined ? 7 : defaultOf(writing, found.node, wanted, depth + 1);
    }
    case "enum":
      return node.symbols[wanted % node.symbols.length];
    case "fixed":
      return "\u0000".repeat(node.size);
    default:
      return recordDefault(writing, node.fields, wanted, depth);
  }
}

function recordDefault(writing: Writing, fields: readonly FieldNode[], wanted: number, depth: number) {
  const value: JsonObject = {};
  for (const field of fields) {
    const inner = defaultOf(writing, field.type, wanted, depth + 1);
    if (inner === undefined) return undefined;
    value[field.name] = inner;
  }
  return value;
}

/**
 * A schema before it is written as JSON. A `ref` is the n-th named type so far, modulo how many there are. Names may repeat;
 * the second one is then written as a reference. So after every step of a mutation the schema usually still parses.
 */
export type Node =
  | { kind: "primitive"; type: string; logical: number }
  | { kind: "array"; items: Node }
  | { kind: "map"; values: Node }
  | { kind: "union"; branches: Node[] }
  | { kind: "ref"; to: number }
  | NamedNode;

export type NamedNode = { name: string; namespace: string | undefined; aliases: string[] } & (
  | { kind: "record"; fields: FieldNode[] }
  | { kind: "enum"; symbols: string[]; default: number | undefined }
  | { kind: "fixed"; size: number; logical: number }
);

export interface FieldNode {
  name: string;
  aliases: string[];
  type: Node;
  /** Which of the type's possible defaults; -1 means one that may not fit. */
  default: number | undefined;
}
