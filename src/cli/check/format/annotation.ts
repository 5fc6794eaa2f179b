import { messageText } from "../../../finding.ts";
import type { Place, Report, Reported, TopicReport } from "./report.ts";
import { createHash } from "node:crypto";

/** One finding, as tools show it next to a line of the file. */
export interface Annotation {
  readonly level: Reported["severity"];
  readonly rule: string;
  readonly place: Place;
  readonly topic: string | undefined;
  readonly consumer: string | undefined;
  readonly field: string | undefined;
  /** The withheld field that the finding is about; undefined if it is about the current events. */
  readonly withheld: string | undefined;
  /** One line that says where the problem is, what is wrong, and what happens when an event is read. */
  readonly message: string;
  readonly remedy: string | undefined;
}

/** Every finding of a report. A finding about a withheld field is at most a warning, unless it makes `check` fail. */
export function annotationsOf(report: Report): readonly Annotation[] {
  return [...report.topics.flatMap((topic) => topicAnnotations(report, topic)), ...report.ignore.map(annotateFile)];
}

function topicAnnotations({ failOn }: Report, topic: TopicReport): readonly Annotation[] {
  const { consumer, place } = topic;
  const annotate = (finding: Reported, withheld: string | undefined): Annotation => {
    const { rule, severity, field, remedy } = finding;
    const level = withheld !== undefined && failOn === "flowing" && severity === "error" ? "warning" : severity;
    const message = messageOf(finding, topic.topic, withheld);
    return {
      level,
      rule,
      place: finding.place ?? place,
      topic: topic.topic,
      consumer,
      field,
      withheld,
      message,
      remedy,
    };
  };
  return [
    ...topic.findings.map((finding) => annotate(finding, undefined)),
    ...topic.withheld.flatMap(({ field, findings }) => findings.map((finding) => annotate(finding, field))),
  ];
}

function messageOf(finding: Reported, topic: string, withheld: string | undefined): string {
  const { field, ignored } = finding;
  const about = withheld === undefined ? "" : ` (withheld: ${withheld})`;
  const at = field === undefined ? "" : ` ${field}:`;
  const why = ignored === undefined ? "" : ` (ignored until ${ignored.until}: ${ignored.reason})`;
  return `${topic}${about}:${at} ${messageText(finding)}${why}`;
}

/** Makes the annotation of a finding about fieldgate.yaml itself. */
function annotateFile({ rule, severity, message, remedy, place }: Reported): Annotation {
  const start = { file: "fieldgate.yaml", line: 1, column: 1 };
  const none = { topic: undefined, consumer: undefined, field: undefined, withheld: undefined };
  return { level: severity, rule, place: place ?? start, ...none, message, remedy };
}

/**
 * One fingerprint per finding, which stays the same when lines move or messages are reworded: a hash of rule, topic,
 * consumer and field. Findings that share all of these are numbered in their order.
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
