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

/** A subject's compatibility level, named as in the registry's API. */
export type Level = (typeof LEVELS)[number];

export function isLevel(text: string): text is Level {
  return (LEVELS as readonly string[]).includes(text); // includes() wants a Level
}

interface LevelCheck extends Compatibility {
  /** The index in `previous` of the version that is incompatible; undefined if there is none. */
  readonly against: number | undefined;
}

/**
 * Checks whether a registry would accept `candidate` after `previous` (live versions, newest first). By Confluent's
 * rule, backward means that the candidate can read older data, forward that older schemas can read the candidate's
 * data, and full means both, reported together. Only `_TRANSITIVE` levels look beyond the newest version, and they stop
 * at the first incompatible one. Without history everything passes.
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
