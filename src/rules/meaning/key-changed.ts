import { canonicalForm } from "../../avro/canonical.ts";
import type { AvroRecord } from "../../avro/schema.ts";
import type { Finding } from "../../finding.ts";
import type { MeaningRule } from "./rule.ts";

/** Reported by the code that knows the events' keys, because the schemas of the values do not show the keys. */
export const KEY_CHANGED: Pick<MeaningRule, "id" | "problem" | "severity"> = {
  id: "meaning/key-changed",
  problem:
    "the key of the events changes: rows move to other partitions, and whatever is stored under the old key remains",
  severity: "error",
};

/** What a changed key means for a topic's consumers. `before` is undefined if the events have no key now. */
export function keyChange(
  before: AvroRecord | undefined,
  after: AvroRecord,
): Pick<Finding, "certainty" | "message" | "remedy"> {
  const [was, is] = keyTexts(before, after);
  const now = before === undefined ? "the events have no key now" : `the key of the events is ${was} now`;
  return {
    certainty: "always",
    message: `${now} and would become ${is}: rows move to other partitions, tombstones and compaction never remove the last value under the old key, and caches and upserts by key keep the old row next to the new one`,
    remedy:
      "rebuild what the consumer stores by key, such as caches and tables, under the new key; then override this rule's severity in its fieldgate.yaml (`severity`, with a reason and a date) and run `fieldgate publish`",
  };
}

/** The names of the columns, together with their types if the names are the same. */
function keyTexts(before: AvroRecord | undefined, after: AvroRecord): readonly string[] {
  const [was, is] = [before, after].map((key) => (key?.fields ?? []).map(({ name }) => name).join(", "));
  const typed = was === is;
  return [before, after].map((key) => {
    const fields = (key?.fields ?? []).map(({ name, type }) => (typed ? `${name} ${canonicalForm(type)}` : name));
    return `(${fields.join(", ")})`;
  });
}
