import type { Finding } from "../finding.ts";
import { cell, code } from "./markdown.ts";

/**
 * What to do about several findings. A remedy that they share is printed once, after everything else, instead of below
 * each of them.
 */

type Remedied = Pick<Finding, "rule" | "remedy">;

export interface Remedies {
  /** The remedy to print with the finding: undefined if it has none, or shares it with others. */
  readonly ownOf: (finding: Remedied) => string | undefined;
  readonly shared: readonly SharedRemedy[];
}

interface SharedRemedy {
  readonly remedy: string;
  readonly rules: readonly string[];
  readonly count: number;
}

export function shareRemedies(findings: readonly Remedied[]): Remedies {
  const byRemedy = Map.groupBy(findings, ({ remedy }) => remedy);
  const shared = [...byRemedy].flatMap(([remedy, of]) => {
    if (remedy === undefined || of.length < 2) return [];
    return [{ remedy, rules: [...new Set(of.map(({ rule }) => rule))], count: of.length }];
  });
  const texts = new Set(shared.map(({ remedy }) => remedy));
  return { ownOf: ({ remedy }) => (remedy === undefined || texts.has(remedy) ? undefined : remedy), shared };
}

/** The shared remedies as text, with their rules, which the findings name too. */
export function sharedLines({ shared }: Remedies): readonly string[] {
  if (shared.length === 0) return [];
  return [
    "what to do",
    ...shared.map(({ remedy, rules, count }) => `  [${rules.join(", ")}] (${count} times): ${remedy}`),
  ];
}

/** The same as a list in Markdown. */
export function sharedMarkdown({ shared }: Remedies): readonly string[] {
  if (shared.length === 0) return [];
  return [
    "",
    "**What to do**",
    "",
    ...shared.map(({ remedy, rules, count }) => `- ${rules.map(code).join(", ")} (${count} times): ${cell(remedy)}`),
  ];
}
