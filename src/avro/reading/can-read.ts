/**
 * Can schema A read what was written with schema B, and if not, why? Start here.
 *
 * Avro's Java library has two answers to this, and they differ, so there are two engines:
 *
 * - `compatibility.ts` is the rule: SchemaCompatibility, which schema registries call. It decides whether a registry
 *   accepts a schema, and reports Java's own types, pointers and messages. `level.ts` applies it to a subject's
 *   versions.
 * - `cause.ts` is the decoder: it explains by field names what ResolvingDecoder does with the bytes, with the certainty
 *   and a remedy (`cause-text.ts`). `alias.ts`, `decoder.ts` and `default-value.ts` are parts of that decoder: the
 *   reader's aliases, the choice of a union's branch, and defaults that cannot be turned into a value.
 *
 * They disagree in both directions. The rule accepts an alias that the decoder never applies because the two records
 * have different full names, and it rejects a union because of a branch that the decoder would not choose. A consumer
 * is stopped by its decoder, so the decoder's reasons come first; what only the rule rejects is a warning. test/java
 * compares both with Java, over generated pairs of schemas.
 */
import { explainCauses } from "./cause.ts";
import type { Cause } from "./cause-text.ts";
import { checkCompatibility } from "./compatibility.ts";
import type { AvroSchema } from "../schema.ts";

export type Reading =
  | { readonly kind: "reads" }
  /** The decoder's reasons. Some may be `by-policy`: the data decodes, but the rule objects. */
  | { readonly kind: "has-causes"; readonly causes: readonly Cause[] }
  /** The decoder can read the data, but the rule rejects the pair; the messages are Java's. */
  | {
      readonly kind: "rule-rejects";
      readonly rule: "avro/type-mismatch" | "avro/ambiguous-alias";
      readonly messages: readonly string[];
    };

/** Asks both engines. The reader has a schema of its own. */
export function canRead(reader: AvroSchema, writer: AvroSchema): Reading {
  const causes = explainCauses(reader, writer);
  if (causes.length > 0) return { kind: "has-causes", causes };
  const { compatible, error, incompatibility } = checkCompatibility(reader, writer);
  if (compatible) return { kind: "reads" };
  // Java throws, instead of answering, only when a reader's field matches several written fields.
  if (error !== undefined) return { kind: "rule-rejects", rule: "avro/ambiguous-alias", messages: [error] };
  const messages = incompatibility.map(({ message, location }) => `${message} (at ${location})`);
  return { kind: "rule-rejects", rule: "avro/type-mismatch", messages };
}
