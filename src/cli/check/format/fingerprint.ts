import { createHash } from "node:crypto";

import type { Annotation } from "./annotation.ts";

/**
 * What stays the same of a finding when lines move and words change, one for each: rule, topic, consumer, field. Two
 * findings that share all of it are told apart by their order.
 */
export function fingerprintsOf(annotations: readonly Annotation[]): readonly string[] {
  const seen = new Map<string, number>();
  return annotations.map(({ rule, topic, consumer, field, withheld, place }) => {
    const text = JSON.stringify([rule, topic, consumer, field, withheld, place.file]);
    const count = seen.get(text) ?? 0;
    seen.set(text, count + 1);
    return createHash("sha256").update(`${text}${count}`).digest("hex");
  });
}
