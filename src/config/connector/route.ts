import { javaRegex } from "../../capture/java-regex.ts";

/** Maps a topic to the topic that its records are sent to instead. */
export type Route = (topic: string) => string;

export type ReadRoute =
  | { readonly kind: "route"; readonly route: Route }
  /** `why` continues the option's name. */
  | { readonly kind: "refused"; readonly option: "regex" | "replacement"; readonly why: string };

/**
 * Kafka Connect's RegexRouter: if the expression matches a whole topic name, its first match in the name is replaced;
 * other topics are unchanged. `replacement` has the syntax of java.util.regex.Matcher: `$1` is a group, and `\` makes the
 * next character literal.
 */
export function regexRoute(regex: string, replacement: string): ReadRoute {
  const read = javaRegex(regex, "keep");
  if (read.kind === "refused") return { kind: "refused", option: "regex", why: read.why };
  const parts = partsOf(replacement, read.groups);
  if (parts === undefined) {
    const why = `names a group other than $1 to $${read.groups}, or contains a \`$\` that is not written \`\\$\``;
    return { kind: "refused", option: "replacement", why };
  }
  const fillIn = (groups: readonly (string | undefined)[]) =>
    parts.map((part) => (typeof part === "number" ? (groups[part] ?? "") : part)).join("");
  return { kind: "route", route: (topic) => (read.matches(topic) ? read.replaceFirst(topic, fillIn) : topic) };
}

/**
 * Splits a replacement into literal texts and group numbers. A group number takes as many digits as long as it still
 * names an existing group, as in Matcher.appendReplacement.
 */
function partsOf(replacement: string, groups: number): readonly (string | number)[] | undefined {
  const parts: (string | number)[] = [];
  for (let rest = replacement; rest !== "";) {
    const [text = "", escaped] = /^\\([^])|^[^$\\]+/.exec(rest) ?? [];
    const group = text === "" ? groupOf(rest, groups) : undefined;
    if (text === "" && group === undefined) return undefined;
    parts.push(group?.number ?? escaped ?? text);
    rest = rest.slice(group?.length ?? text.length);
  }
  return parts;
}

function groupOf(rest: string, groups: number): { readonly number: number; readonly length: number } | undefined {
  const [digits = ""] = /(?<=^\$)\d+/.exec(rest) ?? [];
  for (let length = digits.length; length > 0; length--) {
    const number = Number(digits.slice(0, length));
    if (number <= groups) return { number, length: length + 1 };
  }
  return undefined;
}
