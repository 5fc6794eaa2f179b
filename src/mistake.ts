import { GuardError } from "./errors.ts";

/** One thing wrong with a file or the environment. Never holds a value: it could be a secret in the wrong place. */
export interface Mistake {
  /** The key or variable; undefined: the file as a whole. */
  readonly key?: string | undefined;
  /** Continues the key's name: `must be a whole number`, `is not a known key`. */
  readonly reason: string;
  /** How it looks when right. */
  readonly example?: string | undefined;
}

/** One line for a person: `database.port must be …, e.g. "database.port": 5432`. */
export function mistakeText(mistake: Mistake): string {
  const subject = mistake.key === undefined ? "" : `${mistake.key} `;
  const example = mistake.example === undefined ? "" : `, e.g. ${mistake.example}`;
  return `${subject}${mistake.reason}${example}`;
}

/** All mistakes of all places in one error. `places` has at least one with at least one mistake. */
export function configError(places: ReadonlyMap<string, readonly Mistake[]>, next: string): GuardError {
  const count = [...places.values()].reduce((sum, mistakes) => sum + mistakes.length, 0);
  const lines = [...places].flatMap(([place, mistakes]) => [
    `  ${place}`,
    ...mistakes.map((mistake) => `    - ${mistakeText(mistake)}`),
  ]);
  return new GuardError("config-invalid", `${count} ${count === 1 ? "mistake" : "mistakes"}\n${lines.join("\n")}`, {
    next,
  });
}

/** The known key a person most likely meant; undefined when none is near (more than 40 % would change). */
export function nearestKey(key: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.floor(key.length * 0.4) + 1;
  for (const candidate of known) {
    const distance = editDistance(key.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein: insertions, deletions and replacements of one character. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [i, char] of Array.from(left).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(right).entries()) {
      const replaced = (row[j] ?? 0) + (char === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
