import { isMap, isScalar, visit, type Document, type Node } from "yaml";

/** Keys and list indexes, starting at the root of a file. */
export type Path = readonly PropertyKey[];

/** The value at a path of a parsed file; undefined if there is none. */
export function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined,
    raw,
  );
}

/** The offset of a path in the text: that of its key or, if the key is missing, of its nearest parent that exists. */
export function offsetOf(document: Document, path: Path): number {
  if (path.length === 0) return document.contents?.range?.[0] ?? 0;
  const parent = nodeAt(document, path.slice(0, -1));
  const last = path.at(-1);
  if (isMap(parent)) {
    const key = parent.items.find((pair) => isScalar(pair.key) && pair.key.value === last)?.key;
    if (isScalar(key)) return key.range?.[0] ?? 0;
  }
  return nodeAt(document, path)?.range?.[0] ?? offsetOf(document, path.slice(0, -1));
}

/** The offset of the first alias without a preceding anchor; 0 if there is none. */
export function offsetOfUnresolvedAlias(document: Document): number {
  let offset = 0;
  visit(document, {
    Alias(_key, node) {
      if (node.resolve(document) !== undefined) return undefined;
      offset = node.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}

function nodeAt(document: Document, path: Path): Node | undefined {
  if (path.length === 0) return document.contents ?? undefined;
  return document.getIn(path, true) as Node | undefined; // with keepScalar, getIn returns nodes
}

/** For example `topics[0].decodes-with`. */
export function pathText(path: Path): string {
  const text = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  return text.replace(/^\./, "") || "the file";
}
