import { messageText } from "../../../finding.ts";
import type { Place, Report, Reported, TopicReport } from "./report.ts";

/** One finding as tools show it beside a line of the file. */
export interface Annotation {
  readonly level: Reported["severity"];
  readonly rule: string;
  readonly place: Place;
  readonly topic: string | undefined;
  readonly consumer: string | undefined;
  readonly field: string | undefined;
  /** The field that is withheld and this is about; undefined: about what flows. */
  readonly withheld: string | undefined;
  /** One line: where, what is wrong, what happens when it is read. */
  readonly message: string;
  readonly remedy: string | undefined;
}

/** Every finding of a report. What is about a withheld field is a warning at most, unless `check` fails for it. */
export function annotationsOf(report: Report): readonly Annotation[] {
  return [...report.topics.flatMap((topic) => topicAnnotations(report, topic)), ...report.ignore.map(ownAnnotation)];
}

function topicAnnotations({ failOn }: Report, topic: TopicReport): readonly Annotation[] {
  const { consumer, place } = topic;
  const of = (finding: Reported, withheld: string | undefined): Annotation => {
    const { rule, severity, field, remedy } = finding;
    const level = withheld !== undefined && failOn === "flowing" && severity === "error" ? "warning" : severity;
    const message = messageOf(finding, topic.topic, withheld);
    const found = finding.place ?? place;
    return { level, rule, place: found, topic: topic.topic, consumer, field, withheld, message, remedy };
  };
  return [
    ...topic.findings.map((finding) => of(finding, undefined)),
    ...topic.withheld.flatMap(({ field, findings }) => findings.map((finding) => of(finding, field))),
  ];
}

function messageOf(finding: Reported, topic: string, withheld: string | undefined): string {
  const { field, ignored } = finding;
  const about = withheld === undefined ? "" : ` (withheld: ${withheld})`;
  const at = field === undefined ? "" : ` ${field}:`;
  const why = ignored === undefined ? "" : ` (ignored until ${ignored.until}: ${ignored.reason})`;
  return `${topic}${about}:${at} ${messageText(finding)}${why}`;
}

function ownAnnotation({ rule, severity, message, remedy, place }: Reported): Annotation {
  const nowhere = { file: "fieldgate.yaml", line: 1, column: 1 };
  const none = { topic: undefined, consumer: undefined, field: undefined, withheld: undefined };
  return { level: severity, rule, place: place ?? nowhere, ...none, message, remedy };
}
