import { GuardError } from "../errors.ts";

/** One thing wrong with a contract. */
export interface Mistake {
  /** `fieldgate.yaml:4:5`, from 1; undefined for a contract that is no file. */
  readonly place?: string | undefined;
  readonly key: string;
  /** Continues the key: `is missing`, `must be one of reader, writer`. */
  readonly reason: string;
  /** How it looks when right. */
  readonly example?: string | undefined;
}

/** A file that is no contract at all has thousands. */
const MAX_TOLD = 50;

/** All mistakes in one error, one line each, up to fifty. At least one. */
export function contractError(mistakes: readonly Mistake[]): GuardError {
  const count = `${mistakes.length} ${mistakes.length === 1 ? "mistake" : "mistakes"}`;
  const rest = mistakes.length > MAX_TOLD ? [`  … and ${mistakes.length - MAX_TOLD} more`] : [];
  const lines = mistakes
    .slice(0, MAX_TOLD)
    .map(
      ({ place, key, reason, example }) =>
        `  ${place === undefined ? "" : `${place} `}${key} ${reason}${example === undefined ? "" : `, e.g. ${example}`}`,
    );
  return new GuardError("contract-invalid", `${count}\n${[...lines, ...rest].join("\n")}`, {
    next: "correct the contract, then run the command again",
  });
}
