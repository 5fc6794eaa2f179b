/**
 * Can schema A read what was written with schema B, and why not? Start here.
 *
 * Avro's Java library answers twice, and its two answers differ, so there are two engines:
 *
 * - `compatibility.ts` is the rule: SchemaCompatibility, which schema registries call. It decides whether a registry
 *   accepts a schema, and reports with Java's own types, pointers and messages. `level.ts` applies it to a subject's
 *   versions.
 * - `cause.ts` is the decoder: what ResolvingDecoder does with the bytes, explained by field names, with the certainty
 *   and a remedy (`cause-text.ts`). `alias.ts`, `decoder.ts` and `default-value.ts` are parts of that decoder: the
 *   reader's aliases, the choice of a union's branch, and defaults that cannot be turned into a value.
 *
 * They disagree in both directions. The rule accepts an alias that the decoder never applies, because the two records
 * have different full names; and it rejects a union because of a branch that the decoder would not take. A consumer is stopped by
 * its decoder, so the decoder's reasons come first; what only the rule rejects is a warning. Both are held to Java by
 * test/java, over generated pairs of schemas.
 */
import { explainCauses } from "./cause.ts";
import type { Cause } from "./cause-text.ts";
import { checkCompatibility } from "./compatibility.ts";
import type { AvroSchema } from "../schema.ts";

export type Reading =
  | { readonly kind: "reads" }
  /** The decoder's reasons, of which some may be `by-policy`: it decodes, but the rule objects. */
  | { readonly kind: "has-causes"; readonly causes: readonly Cause[] }
  /** The decoder has nothing to object to, but the rule rejects the pair, in Java's words. */
  | {
      readonly kind: "rule-rejects";
      readonly rule: "avro/type-mismatch" | "avro/ambiguous-alias";
      readonly messages: readonly string[];
    };

/** Asks both engines, for a reader with its own schema. */
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
