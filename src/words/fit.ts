import { type Finding, findingLine } from "../finding.ts";

/** News about a contract and the events that flow already, without a full stop. */

interface Named {
  readonly consumer: string;
  readonly environment: string;
  readonly topic: string;
}

/** `errors`: at least one. */
export function unfitNews({ consumer, environment, topic }: Named, errors: readonly Finding[]) {
  const [first] = errors;
  const why = first === undefined ? "" : `: ${findingLine(first)}`;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return {
    what: `the contract of ${consumer} (${environment}) does not fit the events that ${topic} already has${why}${more}`,
    next: `in the repository of ${consumer}: fieldgate check, then fieldgate publish --env ${environment}`,
  };
}

export function fitsNews({ consumer, environment, topic }: Named): string {
  return `the contract of ${consumer} (${environment}) fits the events of ${topic} again`;
}
