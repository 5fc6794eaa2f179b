/**
 * Reads JSON that people write, and records positions: an error has its offset, a value has the offset of its key, and
 * a number has the text that it was written as. Code that needs no positions uses JSON.parse.
 */
import { findNodeAtLocation, type Node, parseTree, type ParseError, printParseErrorCode } from "jsonc-parser";
import type { Json, NumberText } from "./json.ts";

export type JsonText =
  | {
      readonly kind: "json";
      readonly json: Json;
      readonly numberText: NumberText;
      /** The offset of the key or list item at this path, or of the nearest value around it. */
      readonly offsetOf: (path: readonly (string | number)[]) => number;
      /** The offset of a key that occurs twice in its object; the later value counts. */
      readonly repeatedKey: number | undefined;
    }
  /** `reason` never quotes the text, which may contain a password. */
  | { readonly kind: "wrong"; readonly offset: number; readonly reason: string }
  /** The text has thousands of levels, so the parser ran out of stack. */
  | { readonly kind: "too-deep" };

/**
 * Reads strict JSON: no trailing commas, no byte order mark. Line and block comments are read only if `comments` allows
 * them.
 */
export function readJsonText(text: string, { comments }: { readonly comments: boolean }): JsonText {
  try {
    const errors: ParseError[] = [];
    const root = parseTree(text, errors, { disallowComments: !comments });
    const [error] = errors;
    if (error !== undefined)
      return { kind: "wrong", offset: error.offset, reason: REASONS[printParseErrorCode(error.error)] };
    if (root === undefined) return { kind: "wrong", offset: 0, reason: REASONS.ValueExpected };
    const found: Found = { numbers: new Map(), repeatedKey: undefined };
    const json = valueOf(root, text, found);
    return {
      kind: "json",
      json,
      numberText: (holder, key) => found.numbers.get(holder)?.get(String(key)),
      offsetOf: (path) => offsetOf(root, path),
      repeatedKey: found.repeatedKey,
    };
  } catch (error) {
    if (error instanceof RangeError) return { kind: "too-deep" };
    throw error;
  }
}

const REASONS: Readonly<Record<ReturnType<typeof printParseErrorCode>, string>> = {
  InvalidSymbol: "expected a value, a name in double quotes, or punctuation",
  InvalidNumberFormat: "a number is malformed",
  PropertyNameExpected: "expected a name in double quotes",
  ValueExpected: "expected a value",
  ColonExpected: "expected a colon",
  CommaExpected: "expected a comma",
  CloseBraceExpected: "expected }",
  CloseBracketExpected: "expected ]",
  EndOfFileExpected: "expected the end of the text",
  InvalidCommentToken: "comments are not allowed",
  UnexpectedEndOfComment: "a comment is not closed",
  UnexpectedEndOfString: "a string is not closed",
  UnexpectedEndOfNumber: "a number ends too early",
  InvalidUnicode: "a \\u escape needs four hexadecimal digits",
  InvalidEscapeCharacter: "a backslash in a string does not start a known escape",
  InvalidCharacter: "a control character in a string must be escaped",
  "<unknown ParseErrorCode>": "the text is malformed",
};

/** Line and column, both counted from 1. */
export function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** What is collected while the value is being built. */
interface Found {
  readonly numbers: Map<object, Map<string, string>>;
  repeatedKey: number | undefined;
}

function valueOf(node: Node, text: string, found: Found): Json {
  const { type, children = [] } = node;
  if (type === "array") {
    const list = children.map((item) => valueOf(item, text, found));
    children.forEach((item, at) => noteNumber(list, String(at), item, text, found));
    return list;
  }
  if (type !== "object") return node.value as Json; // a string, number, boolean or null
  const members = new Map<string, Node>();
  for (const { children: [key, value] = [], offset } of children) {
    if (key === undefined || value === undefined) continue;
    const name = String(key.value);
    if (members.has(name)) found.repeatedKey ??= offset;
    members.set(name, value);
  }
  // Unlike an assignment, fromEntries makes a key `__proto__` an ordinary key.
  const object = Object.fromEntries([...members].map(([name, value]) => [name, valueOf(value, text, found)]));
  for (const [name, value] of members) noteNumber(object, name, value, text, found);
  return object;
}

function noteNumber(
  holder: object,
  key: string,
  { type, value, offset, length }: Node,
  text: string,
  found: Found,
): void {
  const written = text.slice(offset, offset + length);
  if (type !== "number" || written === String(value)) return;
  const numbers = found.numbers.get(holder) ?? new Map<string, string>();
  found.numbers.set(holder, numbers.set(key, written));
}

function offsetOf(root: Node, path: readonly (string | number)[]): number {
  const node = findNodeAtLocation(root, [...path]);
  if (node === undefined) return offsetOf(root, path.slice(0, -1));
  return node.parent?.type === "property" ? node.parent.offset : node.offset;
}
