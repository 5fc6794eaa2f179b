import type { Ignore } from "../../contract/file-schema.ts";
import { isOfField, type SeverityChange } from "../../contract/severity.ts";
import type { Finding } from "../../finding.ts";
import type { Place, Reported, TopicReport } from "./format/report.ts";

export type Ignored = Ignore & { readonly place: Place };

/** Rules that mean that a fact is missing. With such a finding the verdict is `unknown` at best. */
const UNSURE = new Set(["contract/evidence-missing", "topic/not-seen"]);

/** The verdict without the ignored findings. They stay in the report as notes. */
export function withIgnored(
  topic: string,
  findings: readonly Finding[],
  ignored: readonly Ignored[],
  today: string,
): Pick<TopicReport, "verdict" | "findings"> {
  const reported = findings.map((finding): Reported => {
    const found = ignored.find((one) => one.until >= today && ignores(one, topic, finding));
    if (found === undefined) return { ...finding };
    return { ...finding, severity: "note", ignored: { reason: found.reason, until: found.until } };
  });
  const counted = reported.filter(({ severity }) => severity !== "note");
  if (counted.some(({ severity }) => severity === "error")) return { verdict: "not-ready", findings: reported };
  return { verdict: counted.some(({ rule }) => UNSURE.has(rule)) ? "unknown" : "ready", findings: reported };
}

function ignores({ rule, topic, field }: Ignore, findingTopic: string, finding: Finding): boolean {
  if (rule !== finding.rule || (topic !== undefined && topic !== findingTopic)) return false;
  return field === undefined || isOfField(finding, field);
}

/** A finding for each expired entry, as a reminder to its author. `today` is a day in UTC, e.g. `2026-12-31`. */
export function expiredIgnores(ignored: readonly Ignored[], today: string): readonly Reported[] {
  return expiredEntries("ignore/expired", ignored, today, () => "was ignored");
}

/**
 * Like `expiredIgnores`, for severity overrides. An expired override has no effect, whether the contract has been
 * published or not.
 */
export function expiredSeverities(changes: readonly PlacedChange[], today: string): readonly Reported[] {
  return expiredEntries("severity/expired", changes, today, ({ severity }) =>
    severity === "error" ? "was an error" : "was a warning",
  );
}

type PlacedChange = SeverityChange & { readonly place: Place };

function expiredEntries<Entry extends Pick<PlacedChange, "rule" | "field" | "reason" | "until" | "place">>(
  id: string,
  entries: readonly Entry[],
  today: string,
  was: (entry: Entry) => string,
): readonly Reported[] {
  return entries
    .filter(({ until }) => until < today)
    .map((entry) => {
      const { rule, field, reason, until, place } = entry;
      return {
        rule: id,
        severity: "warning",
        certainty: "always",
        message: `${rule}${field === undefined ? "" : ` for ${field}`} ${was(entry)} until ${until}: ${reason}`,
        remedy: "fix the finding and remove this entry, or extend its `until`",
        place,
      };
    });
}
