import { ownValue } from "../json.ts";

/**
 * Debezium's lists and Connect's router contain Java regular expressions. JavaScript's differ in a few constructs, so a
 * pattern is translated construct by construct. A construct that JavaScript lacks or reads differently is refused, and
 * the refusal names it. So nothing is ever captured because a pattern means something else here.
 * test/cases/java-regex*.jsonl contains Java's own answers.
 */

/** A translated regular expression, or why it cannot be used here. */
export type JavaRegex =
  | {
      readonly kind: "regex";
      /** True if the whole text matches. */
      readonly matches: (text: string) => boolean;
      /** How many capturing groups it has. */
      readonly groups: number;
      /** Replaces the first match. `by` gets the whole match, followed by each group. */
      readonly replaceFirst: (text: string, by: (groups: readonly (string | undefined)[]) => string) => string;
    }
  /** `why` follows the words "the expression", as in `has a possessive quantifier`. It quotes only the construct. */
  | { readonly kind: "refused"; readonly why: string };

/** `fold`: ignores case like CASE_INSENSITIVE, which folds only a-z. */
export type Case = "fold" | "keep";

/** Translates a pattern of java.util.regex.Pattern. */
export function javaRegex(pattern: string, letters: Case = "fold"): JavaRegex {
  try {
    const own = translate(pattern, letters);
    // compiled on its own first, so that its parentheses cannot close the ones added below
    const found = new RegExp(own, "du");
    const whole = new RegExp(`^(?:${own})$`, "u");
    // Java folds only a-z; the flag `i` would fold É too.
    const read = (text: string) => (letters === "fold" ? lower(text) : text);
    return {
      kind: "regex",
      matches: (text) => whole.test(read(text)),
      groups: (new RegExp(`${own}|`, "u").exec("")?.length ?? 1) - 1,
      replaceFirst(text, by) {
        const places = found.exec(read(text))?.indices;
        if (places === undefined) return text;
        const [[from, to] = [0, 0]] = places;
        return text.slice(0, from) + by(places.map((place) => place && text.slice(...place))) + text.slice(to);
      },
    };
  } catch (error) {
    return { kind: "refused", why: error instanceof Refusal ? error.message : "is not a regular expression" };
  }
}

class Refusal extends Error {}

const NEWLINES = String.raw`\n\r\u0085\u2028\u2029`;
/** Java's predefined classes contain only ASCII. */
const CLASSES: Readonly<Record<string, readonly [inside: string, outside: string]>> = {
  d: ["0-9", "[0-9]"],
  w: ["A-Za-z_0-9", "[A-Za-z_0-9]"],
  s: [String.raw` \t\n\x0b\f\r`, String.raw`[ \t\n\x0b\f\r]`],
};
const PROPERTIES: Readonly<Record<string, string>> = {
  Alpha: "A-Za-z",
  Alnum: "A-Za-z0-9",
  Digit: "0-9",
  L: String.raw`\p{L}`,
  IsL: String.raw`\p{L}`,
  N: String.raw`\p{N}`,
  IsN: String.raw`\p{N}`,
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, f: 12, r: 13, a: 7, e: 27 };
const GROUPS = /^\((?:\?(?:[:=!]|<[=!]|<[A-Za-z][A-Za-z0-9]*>|i:))?/;
const QUANTIFIER = /^(?:[*+?]|\{\d+(?:,\d*)?\})/;

function translate(pattern: string, letters: Case): string {
  let out = "";
  let at = 0;
  while (at < pattern.length) {
    const rest = pattern.slice(at);
    const quantifier = QUANTIFIER.exec(rest)?.[0];
    const [written, length] =
      quantifier === undefined ? translateAtom(rest, letters) : translateQuantifier(rest, quantifier);
    out += written;
    at += length;
  }
  return out;
}

type Written = readonly [text: string, length: number];

function translateQuantifier(rest: string, quantifier: string): Written {
  const next = rest[quantifier.length];
  if (next === "+") throw new Refusal(`has a possessive quantifier \`${quantifier.slice(-1)}+\``);
  return next === "?" ? [`${quantifier}?`, quantifier.length + 1] : [quantifier, quantifier.length];
}

function translateAtom(rest: string, letters: Case): Written {
  switch (rest[0]) {
    case "\\":
      return translateEscape(rest, false, letters);
    case "[":
      return translateClass(rest, letters);
    case "(":
      return translateGroup(rest, letters);
    case ".":
      return [`[^${NEWLINES}]`, 1];
    case "{":
      throw new Refusal("has a `{` with nothing before it to repeat: escape it");
    case "^":
    case "$":
    case "|":
    case ")":
      return [rest.slice(0, 1), 1];
    default:
      return translateLiteral(rest, letters);
  }
}

function translateGroup(rest: string, letters: Case): Written {
  if (rest.startsWith("(?i") && letters === "keep") throw new Refusal("has the flag `(?i)`");
  if (rest.startsWith("(?i)")) return ["(?:)", 4];
  const opening = GROUPS.exec(rest)?.[0] ?? "(";
  if (opening === "(?i:") return ["(?:", 4];
  if (opening !== "(" || rest[1] !== "?") return [opening, opening.length];
  if (rest[2] === ">") throw new Refusal("has an atomic group `(?>`");
  throw new Refusal(`has the flags \`${/^\(\?[^:)]{0,8}/.exec(rest)?.[0] ?? ""}\`: only \`(?i)\` can be used`);
}

/** Translates `\` and what follows it. Inside a class the translation has no brackets of its own. */
function translateEscape(rest: string, inClass: boolean, letters: Case): Written {
  const letter = rest[1];
  if (letter === undefined) throw new Refusal("ends with a backslash");
  const known = CLASSES[letter.toLowerCase()];
  if (known !== undefined) return [negatable(known, letter, inClass), 2];
  const control = CONTROLS[letter];
  if (control !== undefined) return [codePoint(control, letters), 2];
  if (letter === "Q") return translateQuoted(rest, letters);
  if (letter === "p" || letter === "P") return translateProperty(rest, inClass);
  const hex = /^\\(?:x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4}))/.exec(rest);
  const digits = hex?.[1] ?? hex?.[2] ?? hex?.[3];
  if (hex !== null && digits !== undefined) return [codePoint(Number.parseInt(digits, 16), letters), hex[0].length];
  if (!inClass && letter === "A") return ["^", 2];
  if (!inClass && /[zZ]/.test(letter)) return ["$", 2];
  if (/[1-9k]/.test(letter)) throw new Refusal(`has a back reference \`\\${letter}\``);
  if (/[A-Za-z0]/.test(letter)) throw new Refusal(`has \`\\${letter}\`, which JavaScript lacks or reads differently`);
  const [text, length] = translateLiteral(rest.slice(1), letters);
  return [text, length + 1];
}

function negatable(known: readonly [inside: string, outside: string], letter: string, inClass: boolean): string {
  if (letter === letter.toLowerCase()) return inClass ? known[0] : known[1];
  if (inClass) throw new Refusal(`has \`\\${letter}\` in a class`);
  return `[^${known[0]}]`;
}

function translateQuoted(rest: string, letters: Case): Written {
  const end = rest.indexOf("\\E", 2);
  const text = rest.slice(2, end < 0 ? undefined : end);
  return [Array.from(text, (char) => translateLiteral(char, letters)[0]).join(""), end < 0 ? rest.length : end + 2];
}

function translateProperty(rest: string, inClass: boolean): Written {
  const [whole = "", braced, bare] = /^\\[pP](?:\{(\w+)\}|(\w))/.exec(rest) ?? [];
  const members = ownValue(PROPERTIES, braced ?? bare ?? "");
  const negated = rest[1] === "P";
  if (members === undefined || (negated && inClass)) throw new Refusal(`has \`${whole === "" ? "\\p" : whole}\``);
  return [inClass ? members : `[${negated ? "^" : ""}${members}]`, whole.length];
}

function translateClass(rest: string, letters: Case): Written {
  let at = rest[1] === "^" ? 2 : 1;
  let out = at === 2 ? "[^" : "[";
  const first = at;
  while (at < rest.length) {
    const here = rest.slice(at);
    if (here[0] === "]" && at > first) return [`${out}]`, at + 1];
    if (here[0] === "[") throw new Refusal("has a class within a class");
    if (here.startsWith("&&")) throw new Refusal("has an intersection of classes `&&`");
    const [written, length] = translateMember(here, letters);
    out += written;
    at += length;
  }
  throw new Refusal("has a class that is not closed");
}

/** One character, nested class or range inside a class. */
function translateMember(here: string, letters: Case): Written {
  const [from, length] = single(here);
  if (from === undefined) return translateEscape(here, true, letters);
  const dash = here.slice(length);
  if (dash[0] !== "-" || dash[1] === undefined || dash[1] === "]" || dash[1] === "[")
    return [codePoint(from, letters), length];
  const [to, more] = single(dash.slice(1));
  if (to === undefined || to < from) throw new Refusal("has a range that runs backwards");
  return [range(from, to, letters), length + 1 + more];
}

/** The code of a single character; undefined for a class such as `\d`. */
function single(here: string): readonly [code: number | undefined, length: number] {
  const code = here.codePointAt(0) ?? 0;
  if (here[0] !== "\\") return [code, String.fromCodePoint(code).length];
  if (/^\\[dwsDWSpPQ]/.test(here)) return [undefined, 0];
  const [written, length] = translateEscape(here, true, "keep");
  return [Number.parseInt(written.slice(3, -1), 16), length];
}

/**
 * With folding, texts are matched in lower case, so the lower-case form of the part within A-Z is added to the range.
 */
function range(from: number, to: number, letters: Case): string {
  if (letters === "keep") return `${raw(from)}-${raw(to)}`;
  const low = Math.max(from, 0x41);
  const high = Math.min(to, 0x5a);
  const folded = low <= high ? `${raw(low + 0x20)}-${raw(high + 0x20)}` : "";
  return `${raw(from)}-${raw(to)}${folded}`;
}

function translateLiteral(text: string, letters: Case): Written {
  const code = text.codePointAt(0) ?? 0;
  return [codePoint(code, letters), String.fromCodePoint(code).length];
}

function codePoint(code: number, letters: Case): string {
  return raw(letters === "fold" && code >= 0x41 && code <= 0x5a ? code + 0x20 : code);
}

function raw(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

function lower(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
