import { javaRegex } from "../../capture/java-regex.ts";

/** The topic that records of a topic go to. */
export type Route = (topic: string) => string;

export type ReadRoute =
  | { readonly kind: "route"; readonly route: Route }
  /** `why` continues the name of the option. */
  | { readonly kind: "refused"; readonly option: "regex" | "replacement"; readonly why: string };

/**
 * Kafka Connect's RegexRouter: a topic that the expression matches whole is renamed, by the first place it is found
 * at; others stay. `replacement` is that of java.util.regex.Matcher: `$1` is a group, `\` stands before a character
 * that is meant as it is.
 */
export function regexRoute(regex: string, replacement: string): ReadRoute {
  const read = javaRegex(regex, "keep");
  if (read.kind === "refused") return { kind: "refused", option: "regex", why: read.why };
  const parts = partsOf(replacement, read.groups);
  if (parts === undefined) {
    const why = `names a group other than $1 to $${read.groups}, or has a \`$\` that is not \`\\$\``;
    return { kind: "refused", option: "replacement", why };
  }
  const filled = (groups: readonly (string | undefined)[]) =>
    parts.map((part) => (typeof part === "number" ? (groups[part] ?? "") : part)).join("");
  return { kind: "route", route: (topic) => (read.matches(topic) ? read.replaceFirst(topic, filled) : topic) };
}

/** Texts and numbers of groups. A number takes as many digits as there are groups for (Matcher.appendReplacement). */
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
