import { GuardError } from "./errors.ts";

/**
 * One thing wrong with a file, a contract or the environment. It never contains the value itself, which could be a
 * misplaced secret.
 */
export interface Mistake {
  /**
   * For example `fieldgate.yaml:4:5`, counted from 1; undefined if there is no place, or if it is known from elsewhere.
   */
  readonly place?: string | undefined;
  /** The key or variable; undefined if the mistake concerns the file as a whole. */
  readonly key?: string | undefined;
  /** Continues the key, for example `is missing`, `must be one of reader, writer`. */
  readonly reason: string;
  /** What a correct entry looks like. */
  readonly example?: string | undefined;
}

/** One line for a person, for example `database.port must be …, e.g. "database.port": 5432`. */
export function mistakeText({ place, key, reason, example }: Mistake): string {
  const text = [place, key, reason].filter((part) => part !== undefined).join(" ");
  return example === undefined ? text : `${text}, e.g. ${example}`;
}

/** Joins the words as `a, b or c`. There must be at least one. */
export function alternatives(words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} or ${last}`;
}

/** All mistakes in all connector files or variables, grouped by file. `places` must have at least one mistake. */
export function configError(places: ReadonlyMap<string, readonly Mistake[]>, next: string): GuardError {
  const lines = [...places].flatMap(([place, mistakes]) => [
    `  ${place}`,
    ...mistakes.map((mistake) => `    - ${mistakeText(mistake)}`),
  ]);
  const count = [...places.values()].reduce((sum, mistakes) => sum + mistakes.length, 0);
  return new GuardError("config-invalid", `${countText(count)}\n${lines.join("\n")}`, { next });
}

/** How many mistakes are shown: a file that is not a contract at all has thousands. */
const MAX_SHOWN = 50;

/** All mistakes in a contract, one per line. Only the first fifty are shown. There must be at least one. */
export function contractError(mistakes: readonly Mistake[]): GuardError {
  const lines = mistakes.slice(0, MAX_SHOWN).map((mistake) => `  ${mistakeText(mistake)}`);
  if (mistakes.length > MAX_SHOWN) lines.push(`  … and ${mistakes.length - MAX_SHOWN} more`);
  return new GuardError("contract-invalid", `${countText(mistakes.length)}\n${lines.join("\n")}`, {
    next: "correct the contract, then run the command again",
  });
}

function countText(mistakes: number): string {
  return `${mistakes} ${mistakes === 1 ? "mistake" : "mistakes"}`;
}

/** The known name that was most likely meant; undefined if more than 40 % of its characters would have to change. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.floor(name.length * 0.4) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions and replacements of one character, and two neighbours that changed places, count as one each. */
function editDistance(left: string, right: string): number {
  let last: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 0; i < left.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < right.length; j++) {
      const replaced = (row[j] ?? 0) + (left[i] === right[j] ? 0 : 1);
      const swapped =
        i > 0 && j > 0 && left[i] === right[j - 1] && left[i - 1] === right[j] ? (last[j - 1] ?? 0) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    [last, row] = [row, next];
  }
  return row[right.length] ?? 0;
}
