import type { Ignore } from "../../contract/file-schema.ts";
import { isOfField, type SeverityChange } from "../../contract/severity.ts";
import type { Finding } from "../../finding.ts";
import type { Place, Reported, TopicReport } from "./format/report.ts";

export type Ignored = Ignore & { readonly place: Place };

/** Without these a verdict is no more than a guess, whoever is at fault. */
const UNSURE = new Set(["contract/evidence-missing", "topic/not-seen"]);

/** What is left of a verdict: an ignored finding is a note, and does not count. */
export function withIgnored(
  topic: string,
  findings: readonly Finding[],
  ignored: readonly Ignored[],
  today: string,
): Pick<TopicReport, "verdict" | "findings"> {
  const reported = findings.map((finding): Reported => {
    const found = ignored.find((one) => one.until >= today && isAbout(one, topic, finding));
    if (found === undefined) return { ...finding };
    return { ...finding, severity: "note", ignored: { reason: found.reason, until: found.until } };
  });
  const counted = reported.filter(({ severity }) => severity !== "note");
  if (counted.some(({ severity }) => severity === "error")) return { verdict: "not-ready", findings: reported };
  return { verdict: counted.some(({ rule }) => UNSURE.has(rule)) ? "unknown" : "ready", findings: reported };
}

function isAbout({ rule, topic, field }: Ignore, of: string, finding: Finding): boolean {
  if (rule !== finding.rule || (topic !== undefined && topic !== of)) return false;
  return field === undefined || isOfField(finding, field);
}

/** A finding for each that has run out: whoever wrote it wanted to be reminded. `today`: `2026-12-31`, in UTC. */
export function expired(ignored: readonly Ignored[], today: string): readonly Reported[] {
  return runOut("ignore/expired", ignored, today, () => "was ignored");
}

/** The same for a severity: published or not, it counts no more. */
export function expiredSeverity(changes: readonly Weighed[], today: string): readonly Reported[] {
  return runOut("severity/expired", changes, today, ({ severity }) =>
    severity === "error" ? "was an error" : "was a warning",
  );
}

type Weighed = SeverityChange & { readonly place: Place };

function runOut<Entry extends Pick<Weighed, "rule" | "field" | "reason" | "until" | "place">>(
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
        message: `${rule}${field === undefined ? "" : ` of ${field}`} ${was(entry)} until ${until}: ${reason}`,
        remedy: "mend what it was about and take the entry out, or say until when it goes on",
        place,
      };
    });
}
