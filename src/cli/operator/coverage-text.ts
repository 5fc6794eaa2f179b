import type { CoverageView, TopicCoverage } from "../../api/coverage.ts";
import { renderDuration } from "../../words/duration.ts";
import { textTable } from "../command.ts";
import { cell, code, markdownTable } from "../check/format/markdown.ts";

type Group = TopicCoverage["groups"][number];
type Contract = TopicCoverage["contracts"][number];
type WhatIf = NonNullable<CoverageView["whatIf"]>;

const HEAD = ["GROUP", "LIVE", "MEMBERS", "READ", "NAMED BY", "ANNOUNCES"];
const IF_HEAD = ["FIELD", "GATE", "WOULD", "WAITS FOR", "WHY"];

/** `schemas/coverage.schema.json` describes it. */
export function coverageJson(view: CoverageView): string {
  return JSON.stringify(view, null, 2);
}

export function coverageText(view: CoverageView): string {
  const { complete, topics, whatIf } = view;
  const say = complete ? "complete: every live group is named by a contract" : "not complete";
  const all = topics.length === 0 ? ["no connector publishes a topic yet"] : topics.flatMap(topicText);
  return [say, ...all, ...(whatIf === undefined ? [] : whatIfText(whatIf))].join("\n");
}

function topicText(topic: TopicCoverage): readonly string[] {
  const { environment, groups, contracts, unnamed } = topic;
  const rows = groups.map((group) => groupRow(topic, group));
  return [
    "",
    `${topic.topic} (environment ${environment}, ${decidesText(topic)}): ${lookedText(topic)}`,
    ...(rows.length === 0
      ? []
      : textTable(HEAD, rows)
          .split("\n")
          .map((line) => `  ${line}`)),
    ...contracts.flatMap(contractText).map((line) => `  ${line}`),
    ...(unnamed.length === 0 ? [] : [`  no contract names: ${unnamed.join(", ")}`]),
  ];
}

/** Where Debezium publishes no policy decides. */
function decidesText({ mode, policy }: TopicCoverage): string {
  return mode === "watch" ? "watched" : `policy ${policy}`;
}

function lookedText({ looked, groups }: TopicCoverage): string {
  const { secondsAgo, problem } = looked;
  const seen = secondsAgo === null ? [] : [`looked ${renderDuration(secondsAgo * 1000)} ago`];
  const none = secondsAgo !== null && groups.length === 0 ? ["no group reads it"] : [];
  return [...seen, ...none, ...(problem === null ? [] : [`not known now: ${problem}`])].join(", ");
}

function groupRow({ contracts }: TopicCoverage, group: Group): readonly string[] {
  const { members, readSecondsAgo, namedBy, live } = group;
  const isStale = contracts.some(({ consumer, stale }) => stale && namedBy.includes(consumer));
  return [
    group.group,
    live ? "yes" : "no",
    members === null ? "not shown" : String(members),
    ago(readSecondsAgo),
    `${namedBy.join(", ") || "nobody"}${isStale ? " (stale)" : ""}`,
    announcesText(group),
  ];
}

function announcesText({ announced }: Group): string {
  return announced
    .map(({ members, consumers, fingerprint }) =>
      consumers.length === 0
        ? `${members}: no contract's schema (${fingerprint.slice(0, 12)})`
        : `${members}: that of ${consumers.join(", ")}`,
    )
    .join("; ");
}

/** What the groups' lines do not say. */
function contractText({ consumer, groups, read, findings }: Contract): readonly string[] {
  const never = read === null ? [`contract ${consumer}: no group of it seen (${groups.join(", ")})`] : [];
  const found = findings.map(
    ({ rule, message, remedy }) =>
      `contract ${consumer}: ${message} [${rule}]${remedy === undefined ? "" : `\n    ${remedy}`}`,
  );
  return [...never, ...found];
}

function ago(seconds: number | null): string {
  return seconds === null ? "never" : `${renderDuration(seconds * 1000)} ago`;
}

function whatIfText({ policy, note, amendments }: WhatIf): readonly string[] {
  const rows = amendments.map(ifRow);
  const table = rows.length === 0 ? ["  no amendment is recorded"] : textTable(IF_HEAD, rows).split("\n");
  return ["", `under policy ${policy}:`, ...table.map((line) => `  ${line.trimStart()}`), `  ${note}`];
}

function ifRow({ field, gate, would, waitsFor, why }: WhatIf["amendments"][number]): readonly string[] {
  const says = { flows: "flow", waits: "wait", unknown: "not known" }[would];
  return [field, gate, says, waitsFor.join(", ") || "-", why];
}

/** For a comment or a wiki page. */
export function coverageMarkdown(view: CoverageView): string {
  const { complete, topics, whatIf } = view;
  return [
    `### fieldgate coverage: ${complete ? "complete" : "not complete"}`,
    ...topics.flatMap(topicMarkdown),
    ...(whatIf === undefined
      ? []
      : [
          "",
          `#### Under policy ${code(whatIf.policy)}`,
          ...markdownTable(
            IF_HEAD.map(lower),
            whatIf.amendments.map(ifRow).map((row) => row.map(cell)),
          ),
          "",
          cell(whatIf.note),
        ]),
  ].join("\n");
}

function topicMarkdown(topic: TopicCoverage): readonly string[] {
  const { environment, groups, contracts, unnamed } = topic;
  const rows = groups.map((group) => groupRow(topic, group).map(cell));
  const said = [
    ...contracts.flatMap(contractText),
    ...(unnamed.length === 0 ? [] : [`no contract names: ${unnamed.join(", ")}`]),
  ];
  return [
    "",
    `#### ${code(topic.topic)}`,
    "",
    `Environment ${cell(environment)}, ${decidesText(topic)}: ${cell(lookedText(topic))}`,
    ...(rows.length === 0 ? [] : markdownTable(HEAD.map(lower), rows)),
    ...(said.length === 0 ? [] : ["", ...said.map((line) => `- ${cell(line)}`)]),
  ];
}

function lower(text: string): string {
  return text.toLowerCase();
}
