import { messageOf, runtimeFindings as findIn, type RuntimeFinding } from "../rules/runtime/runtime.ts";
import type { AvroSchema } from "../avro/schema.ts";
import type { Finding } from "../finding.ts";
import { oncePerPair } from "../once.ts";
import type { Contract } from "./contract.ts";
import { readerPair } from "./reader.ts";
import { rowFor } from "./view.ts";
import { runtimeOf } from "../rules/runtime/rule.ts";

/**
 * Findings about the client library that a contract names. The rules are in rules/runtime; here they are applied to the
 * contract's view, with the severity that they have for this contract.
 */

interface Flow {
  readonly envelope: AvroSchema;
  readonly flowing: AvroSchema;
}

/**
 * Finds where the contract's runtime is known to read the candidate differently from Java's rule, or not at all. If the
 * same already happens with the schema that flows now, it is a warning, because withholding the candidate would not
 * help.
 */
export function runtimeFindings(contract: Contract, { envelope, flowing }: Flow): readonly Finding[] {
  const found = foundIn(contract, envelope);
  if (found.length === 0) return [];
  const known = envelope === flowing ? NOTHING : knownOf(contract, flowing);
  const byText = new Map(found.map((one) => [textOf(one), one]));
  return [...byText].map(
    ([text, { rule, path, certainty, effect, effectStated, message, remedy, whole, severity }]) => {
      const field = path.join(".").replaceAll(/\.(?=\[\]|\{\})/g, "");
      const counts = !known.has(text) && severity !== "warning" && (whole === true || reads(contract, path));
      return {
        rule,
        severity: counts ? "error" : "warning",
        certainty,
        effect,
        effectStated,
        ...(field === "" ? {} : { field }),
        message,
        remedy,
      };
    },
  );
}

const NOTHING: ReadonlySet<string> = new Set();

/** Computed once, because the schema that flows now is the same for all candidates. */
const knownOf = oncePerPair(
  (contract: Contract, flowing: AvroSchema): ReadonlySet<string> => new Set(foundIn(contract, flowing).map(textOf)),
);

interface Found extends RuntimeFinding {
  readonly message: string;
}

/**
 * Places are named as in `after`: both images of an event contain the row's record, and the problem is in the record.
 */
function foundIn(contract: Contract, envelope: AvroSchema): readonly Found[] {
  const runtime = runtimeOf(contract.runtime);
  const pair = runtime === undefined ? undefined : pairOf(contract, envelope);
  if (runtime === undefined || pair === undefined) return [];
  return findIn(runtime, pair).map((found) => {
    const [first, ...rest] = found.path;
    if (contract.view === "row") {
      // This consumer knows the column by its own name.
      const path = first === undefined ? [] : ["after", ...found.path];
      return { ...found, path, message: messageOf(found, found.path) };
    }
    const path = first === "before" ? ["after", ...rest] : found.path;
    return { ...found, path, message: messageOf(found, path) };
  });
}

function pairOf(contract: Contract, envelope: AvroSchema): Parameters<typeof findIn>[1] | undefined {
  if (contract.decodesWith === "reader") {
    const pair = readerPair(contract, envelope);
    return pair === undefined ? undefined : { ...pair, text: contract.schema, longs: contract.longs };
  }
  const writer = contract.view === "row" ? rowFor(contract, envelope) : envelope;
  return writer === undefined ? undefined : { writer, longs: contract.longs };
}

/** With a reader's schema, everything in it counts as read; otherwise the listed columns do. */
function reads({ decodesWith, fields }: Contract, [image, column]: readonly string[]): boolean {
  if (decodesWith === "reader" || fields === undefined || image !== "after" || column === undefined) return true;
  return fields.includes(column);
}

function textOf({ rule, path, message }: Found): string {
  return JSON.stringify([rule, path, message]);
}
