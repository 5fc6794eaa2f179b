import type { Choose } from "./datum.ts";
import type { Json } from "../../../src/json.ts";

export interface SchemaPair {
  readonly reader: Json;
  readonly writer: Json;
}

const PROMOTED: Readonly<Record<string, readonly string[]>> = {
  null: ["null"],
  boolean: ["boolean"],
  int: ["int", "int", "long", "float", "double"],
  long: ["long", "long", "float", "double"],
  float: ["float", "float", "double"],
  double: ["double"],
  string: ["string", "string", "string", "bytes"],
  bytes: ["bytes", "bytes", "bytes", "string"],
};
const PRIMITIVES = Object.keys(PROMOTED);

/** Fields that the events lack, half of them with a default that avsc rejects or cannot read. */
const ADDED: readonly (readonly [type: Json, value: Json])[] = [
  ["int", 5],
  [["null", "string"], null],
  ["string", "x"],
  [{ type: "array", items: ["null", "int"] }, []],
  [["string", "null"], null],
  [["null", "int"], 3],
  ["long", 2 ** 53],
  ["double", "NaN"],
  [{ type: "array", items: ["null", "int"] }, [1]],
  ["bytes", "\u00ff"],
];
const FIELDS = ["a", "b", "c", "a", "b", "c", "a", "b", "c", "constructor", "__proto__", "ä"];

/** A writer's schema and a reader's derived from it, mostly compatible by Java's rule. `odd` is a percentage. */
export function schemaPair(choose: Choose, odd: number): SchemaPair {
  const known: SchemaPair[] = [];
  let names = 0;
  const isOdd = (): boolean => choose(100) < odd;
  const name = (): { readonly written: string; readonly own: string; readonly aliases: Json[] } => {
    const bare = `N${names++}`;
    const space = ["", "p."][choose(2)] ?? "";
    const written = `${space}${bare}`;
    if (!isOdd()) return { written, own: written, aliases: [] };
    const way = choose(3);
    if (way === 0) return { written, own: `q.${bare}`, aliases: [] };
    if (way === 1) return { written, own: `q.${bare}`, aliases: space === "" ? [] : [written] };
    return { written, own: `${space}M${names++}`, aliases: [written] };
  };

  const pair = (depth: number): SchemaPair => {
    const kind = choose(depth > 3 ? 8 : 16);
    if (kind < 6) return primitive();
    if (kind === 6) return enumeration();
    if (kind === 7) return fixed();
    if (kind < 10) return union(depth);
    if (kind === 10) return within(pair(depth + 1), (inner) => ({ type: "array", items: inner }));
    if (kind === 11) return within(pair(depth + 1), (inner) => ({ type: "map", values: inner }));
    if (kind === 12 && known.length > 0) return known[choose(known.length)] ?? primitive();
    return record(depth);
  };

  const primitive = (): SchemaPair => {
    const writer = PRIMITIVES[choose(PRIMITIVES.length)] ?? "int";
    const reads = PROMOTED[writer] ?? [writer];
    return { writer, reader: reads[choose(reads.length)] ?? writer };
  };

  const remember = (writer: Json, reader: Json, { written, own }: { written: string; own: string }): SchemaPair => {
    // a reference from inside a namespace needs a leading dot
    if (written.includes(".") && own.includes(".")) known.push({ writer: written, reader: own });
    return { writer, reader };
  };

  const enumeration = (): SchemaPair => {
    const named = name();
    const [writer, reader] = [named.written, named.own].map((full) => ({
      type: "enum",
      name: full,
      symbols: ["X", "Y"],
    }));
    return remember(writer ?? null, { ...reader, aliases: named.aliases, symbols: ["Y", "X", "Z"] }, named);
  };

  const fixed = (): SchemaPair => {
    const named = name();
    const own = { type: "fixed", name: named.own, aliases: named.aliases, size: 2 };
    return remember({ type: "fixed", name: named.written, size: 2 }, own, named);
  };

  const union = (depth: number): SchemaPair => {
    const inner = pair(depth + 1);
    if (Array.isArray(inner.writer) || Array.isArray(inner.reader) || inner.writer === "null") return inner;
    const more = isOdd() ? [PRIMITIVES[1 + choose(7)] ?? "int"] : [];
    const others = more.filter((one) => one !== inner.reader);
    const own = choose(2) === 0 ? [...others, inner.reader] : [inner.reader, ...others];
    return { writer: choose(3) === 0 ? inner.writer : ["null", inner.writer], reader: ["null", ...own] };
  };

  const record = (depth: number): SchemaPair => {
    const named = name();
    const wanted = new Set([0, 1, 2].slice(choose(3)).map(() => FIELDS[choose(isOdd() ? FIELDS.length : 3)] ?? "a"));
    const fields = [...wanted].map((field) => ({ field, type: pair(depth + 1) }));
    const kept = fields.filter(() => choose(6) > 0);
    const added = choose(3) === 0 ? [ADDED[choose(isOdd() ? ADDED.length : 4)] ?? ["int", 5]] : [];
    const reader = {
      type: "record",
      name: named.own,
      aliases: named.aliases,
      fields: [
        ...kept.map(({ field, type }) => ({ name: field, type: type.reader })),
        ...added.map(([type, value]) => ({ name: "d", type, default: value ?? null })),
      ],
    };
    const writer = {
      type: "record",
      name: named.written,
      fields: fields.map(({ field, type }) => ({ name: field, type: type.writer })),
    };
    // a record that the reader drops may contain a definition that is still referred to: such pairs do not parse
    return remember(writer, reader, named);
  };

  return record(0);
}

function within({ reader, writer }: SchemaPair, around: (inner: Json) => Json): SchemaPair {
  return { reader: around(reader), writer: around(writer) };
}
