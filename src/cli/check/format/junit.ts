import { findingLine } from "../../../finding.ts";
import { verdictText } from "../../command.ts";
import { isOfSeveralFiles, type Report, type Reported, type TopicReport } from "./report.ts";

/**
 * JUnit XML for CI systems that show test results. A topic is a test suite with one case for the current events and one
 * per withheld field. A case fails exactly if it makes `check` exit with 100.
 */

interface Case {
  readonly name: string;
  readonly verdict: TopicReport["verdict"];
  readonly findings: readonly Reported[];
  /** Whether the build fails if the verdict is not ready. */
  readonly counts: boolean;
}

export function formatJunit(report: Report): string {
  const suites = report.topics.map((topic) => renderSuite(suiteName(report, topic), topic, casesOf(report, topic)));
  const fileFindings = report.ignore.map((finding) => `  ${element("system-err", {}, textOf([finding]))}`);
  const all = report.topics.flatMap((topic) => casesOf(report, topic));
  const totals = { name: "fieldgate check", ...counts(all) };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes(totals)}>`,
    ...suites,
    ...wrapInSuite(fileFindings),
    "</testsuites>",
  ].join("\n");
}

/** Puts the lines into a suite, because JUnit allows output only there. */
function wrapInSuite(lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  return [
    `  <testsuite${attributes({ name: "fieldgate.yaml", ...counts([]) })}>`,
    ...lines.map((line) => `  ${line}`),
    "  </testsuite>",
  ];
}

function casesOf({ failOn }: Report, { verdict, findings, withheld }: TopicReport): readonly Case[] {
  return [
    { name: "current events", verdict, findings, counts: true },
    ...withheld.map((field) => ({ ...field, name: `withheld: ${field.field}`, counts: failOn === "withheld" })),
  ];
}

function counts(cases: readonly Case[]) {
  return { tests: cases.length, failures: cases.filter(fails).length, errors: 0, skipped: 0 };
}

function fails({ counts: isCounted, verdict }: Case): boolean {
  return isCounted && verdict !== "ready";
}

/** Several files may have a contract on the same topic. */
function suiteName(report: Report, { topic, place }: TopicReport): string {
  return isOfSeveralFiles(report) ? `${place.file}: ${topic}` : topic;
}

function renderSuite(suite: string, { topic, consumer, place }: TopicReport, cases: readonly Case[]): string {
  const lines = cases.map((one) => {
    const { name, verdict, findings } = one;
    const head = attributes({ classname: topic, name, file: place.file, line: place.line });
    const message = `${consumer} is ${verdictText(verdict)}`;
    const text = textOf(findings);
    if (fails(one))
      return `    <testcase${head}>\n      ${element("failure", { message, type: verdict }, text)}\n    </testcase>`;
    if (text === "") return `    <testcase${head}/>`;
    return `    <testcase${head}>\n      ${element("system-out", {}, `${message}\n${text}`)}\n    </testcase>`;
  });
  return [`  <testsuite${attributes({ name: suite, ...counts(cases) })}>`, ...lines, "  </testsuite>"].join("\n");
}

function textOf(findings: readonly Reported[]): string {
  const lines = findings.map((finding) => {
    const { severity, remedy, ignored } = finding;
    const why = ignored === undefined ? remedy : `ignored until ${ignored.until}: ${ignored.reason}`;
    return `${severity}: ${findingLine(finding)}${why === undefined ? "" : `\n  ${why}`}`;
  });
  return lines.join("\n");
}

function element(tag: string, values: Readonly<Record<string, string | number>>, text: string): string {
  return `<${tag}${attributes(values)}>${escapeXml(text)}</${tag}>`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([key, value]) => ` ${key}="${escapeXml(String(value)).replaceAll("\n", "&#10;")}"`)
    .join("");
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Replaces characters that XML 1.0 (section 2.2) does not allow in any form by U+FFFD. */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "\u{FFFD}")
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character)
    .replaceAll("\r", "&#13;");
}
