import { canonicalForm } from "../../avro/canonical.ts";
import type { AvroRecord } from "../../avro/schema.ts";
import type { Finding } from "../../finding.ts";
import type { MeaningRule } from "./rule.ts";

/** Told by whoever knows the events' keys: the values' schemas do not show it. */
export const KEY_CHANGED: Pick<MeaningRule, "id" | "problem" | "severity"> = {
  id: "meaning/key-changed",
  problem: "the events' key changes: rows go to other partitions, and what is kept by the old key stays",
  severity: "error",
};

/** What another key means for whoever reads the topic; `before` undefined: the events have no key now. */
export function keyChange(
  before: AvroRecord | undefined,
  after: AvroRecord,
): Pick<Finding, "certainty" | "message" | "remedy"> {
  const [was, is] = keyTexts(before, after);
  const now = before === undefined ? "the events have no key" : `the events' key is ${was}`;
  return {
    certainty: "always",
    message: `${now} and would be ${is}: rows go to other partitions, tombstones and compaction leave the last value under the old key, and caches and upserts by key keep the old row beside the new one`,
    remedy:
      "have the consumer begin anew under the new key (its caches, its tables); then change this rule's severity in its fieldgate.yaml (`severity`, with a reason and a day) and run `fieldgate publish`",
  };
}

/** Names tell most keys apart; with the same names it is their types. */
function keyTexts(before: AvroRecord | undefined, after: AvroRecord): readonly string[] {
  const [was, is] = [before, after].map((key) => (key?.fields ?? []).map(({ name }) => name).join(", "));
  const typed = was === is;
  return [before, after].map((key) => {
    const fields = (key?.fields ?? []).map(({ name, type }) => (typed ? `${name} ${canonicalForm(type)}` : name));
    return `(${fields.join(", ")})`;
  });
}
