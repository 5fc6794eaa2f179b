import { checkCompatibility, type Compatibility } from "./compatibility.ts";
import type { AvroSchema } from "../schema.ts";

const LEVELS = [
  "NONE",
  "BACKWARD",
  "FORWARD",
  "FULL",
  "BACKWARD_TRANSITIVE",
  "FORWARD_TRANSITIVE",
  "FULL_TRANSITIVE",
] as const;

/** A subject's compatibility level, by the registry's names. */
export type Level = (typeof LEVELS)[number];

export function isLevel(text: string): text is Level {
  return (LEVELS as readonly string[]).includes(text); // includes() wants a Level
}

interface LevelCheck extends Compatibility {
  /** Which of `previous` refused; undefined when none did. */
  readonly against: number | undefined;
}

/**
 * Would a registry take `candidate` after `previous` (live versions, newest first)? Confluent's rule: backward is
 * the candidate reading, forward the candidate being read, full both, reported together; only `_TRANSITIVE` looks
 * past the newest, and stops at the first version that refuses. Without history everything passes.
 */
export function checkLevel(level: Level, previous: readonly AvroSchema[], candidate: AvroSchema): LevelCheck {
  const versions = level === "NONE" ? [] : level.endsWith("_TRANSITIVE") ? previous : previous.slice(0, 1);
  for (const [against, version] of versions.entries()) {
    const checks = [
      ...(level.startsWith("FORWARD") ? [] : [checkCompatibility(candidate, version)]),
      ...(level.startsWith("BACKWARD") ? [] : [checkCompatibility(version, candidate)]),
    ];
    if (checks.every((check) => check.compatible)) continue;
    const error = checks.find((check) => check.error !== undefined)?.error;
    return { compatible: false, incompatibility: checks.flatMap((check) => check.incompatibility), error, against };
  }
  return { compatible: true, incompatibility: [], against: undefined };
}
