import { visibleIn } from "../../visible.ts";
import { type CoverageView, isCovered, type TopicCoverage } from "../../api/coverage.ts";
import { renderDuration } from "../../words/duration.ts";
import { totalLines } from "../command.ts";
import { textTable } from "../fold.ts";
import { cell, code, markdownTable } from "../markdown.ts";
import { type Remedies, sharedLines, sharedMarkdown, shareRemedies } from "../remedies.ts";
import { PIPE, type Screen } from "../screen.ts";

/** Renders the service's answer to `coverage`: which group reads which topic, and which contract names it. */

type Group = TopicCoverage["groups"][number];
type Contract = TopicCoverage["contracts"][number];
type WhatIf = NonNullable<CoverageView["whatIf"]>;

const HEAD = ["GROUP", "LIVE", "MEMBERS", "LAST READ", "NAMED BY", "ANNOUNCES"];
const WHAT_IF_HEAD = ["FIELD", "GATE", "WOULD", "WAITS FOR", "WHY"];

/** `schemas/coverage.schema.json` describes the output. */
export function coverageJson(view: CoverageView): string {
  return JSON.stringify(view, null, 2);
}

export function coverageText(given: CoverageView, screen: Screen = PIPE): string {
  const view = visibleIn(given);
  const { complete, topics, whatIf } = view;
  const summary = complete
    ? `${screen.paint("good", "complete")}: every live group is named by a contract`
    : screen.paint("bad", "not complete");
  const remedies = remediesOf(view);
  const all = topics.flatMap((topic) => topicText(topic, remedies, screen));
  const total = totalLines(topics.filter(isCovered).length, topics.length, "topics are complete", screen);
  return [
    summary,
    ...(all.length === 0 ? ["no connector has published a topic yet"] : all),
    ...(whatIf === undefined ? [] : whatIfText(whatIf, screen)),
    ...(remedies.shared.length === 0 ? [] : ["", ...sharedLines(remedies)]),
    ...total.flatMap((line) => ["", line]),
  ].join("\n");
}

function remediesOf({ topics }: CoverageView): Remedies {
  return shareRemedies(topics.flatMap(({ contracts }) => contracts.flatMap(({ findings }) => findings)));
}

function topicText(topic: TopicCoverage, remedies: Remedies, screen: Screen): readonly string[] {
  const { environment, groups, contracts, unnamed } = topic;
  const rows = groups.map((group) => groupRow(topic, group));
  return [
    "",
    `${topic.topic} (environment ${environment}, ${POLICY_TEXTS[topic.mode](topic.policy)}): ${lastPollText(topic)}`,
    ...(rows.length === 0
      ? []
      : textTable(HEAD, rows, inner(screen))
          .split("\n")
          .map((line) => `  ${line}`)),
    ...contracts.flatMap((one) => contractText(one, remedies)).map((line) => `  ${line}`),
    ...(unnamed.length === 0 ? [] : [`  not named by any contract: ${unnamed.join(", ")}`]),
  ];
}

/** The width of what is indented by two columns. */
function inner({ columns }: Screen): number | undefined {
  return columns === undefined ? undefined : columns - 2;
}

/** In watch mode Debezium publishes, so no policy applies. */
const POLICY_TEXTS: Readonly<Record<TopicCoverage["mode"], (policy: string) => string>> = {
  guard: (policy) => `policy ${policy}`,
  watch: () => "watched",
};

function lastPollText({ lastPoll, groups }: TopicCoverage): string {
  const { secondsAgo, problem } = lastPoll;
  const seen = secondsAgo === null ? [] : [`groups polled ${renderDuration(secondsAgo * 1000)} ago`];
  const none = secondsAgo !== null && groups.length === 0 ? ["no group reads the topic"] : [];
  return [...seen, ...none, ...(problem === null ? [] : [`groups currently unknown: ${problem}`])].join(", ");
}

function groupRow({ contracts }: TopicCoverage, group: Group): readonly string[] {
  const { members, readSecondsAgo, namedBy, live } = group;
  const staleFinding = contracts.some(({ consumer, stale }) => stale && namedBy.includes(consumer));
  return [
    group.group,
    live ? "yes" : "no",
    members === null ? "not shown" : String(members),
    ago(readSecondsAgo),
    `${namedBy.join(", ") || "no contract"}${staleFinding ? " (stale)" : ""}`,
    announcesText(group),
  ];
}

function announcesText({ announced }: Group): string {
  return announced
    .map(({ members, consumers, fingerprint }) =>
      consumers.length === 0
        ? `${members}: a schema that is in no contract (${fingerprint.slice(0, 12)})`
        : `${members}: the schema of ${consumers.join(", ")}`,
    )
    .join("; ");
}

/** The parts of a contract that the groups' lines do not show. */
function contractText({ consumer, groups, read, findings }: Contract, remedies: Remedies): readonly string[] {
  const never = read === null ? [`contract ${consumer}: none of its groups was seen (${groups.join(", ")})`] : [];
  const found = findings.map((finding) => {
    const remedy = remedies.ownOf(finding);
    return `contract ${consumer}: ${finding.message} [${finding.rule}]${remedy === undefined ? "" : `\n    ${remedy}`}`;
  });
  return [...never, ...found];
}

function ago(seconds: number | null): string {
  return seconds === null ? "never" : `${renderDuration(seconds * 1000)} ago`;
}

function whatIfText({ policy, note, amendments }: WhatIf, screen: Screen): readonly string[] {
  const rows = amendments.map(whatIfRow);
  const table =
    rows.length === 0 ? ["no amendments recorded"] : textTable(WHAT_IF_HEAD, rows, inner(screen)).split("\n");
  return ["", `under policy ${policy}:`, ...table.map((line) => `  ${line}`), `  ${note}`];
}

function whatIfRow({ field, gate, would, waitsFor, why }: WhatIf["amendments"][number]): readonly string[] {
  const outcome = { flows: "flow", waits: "wait", unknown: "unknown" }[would];
  return [field, gate, outcome, waitsFor.join(", ") || "-", why];
}

/** Renders the answer for a comment or a wiki page. */
export function coverageMarkdown(given: CoverageView): string {
  const view = visibleIn(given);
  const { complete, topics, whatIf } = view;
  const remedies = remediesOf(view);
  return [
    `### fieldgate coverage: ${complete ? "complete" : "not complete"}`,
    ...topics.flatMap((topic) => topicMarkdown(topic, remedies)),
    ...sharedMarkdown(remedies),
    ...(whatIf === undefined
      ? []
      : [
          "",
          `#### Under policy ${code(whatIf.policy)}`,
          ...markdownTable(
            WHAT_IF_HEAD.map(lower),
            whatIf.amendments.map(whatIfRow).map((row) => row.map(cell)),
          ),
          "",
          cell(whatIf.note),
        ]),
  ].join("\n");
}

function topicMarkdown(topic: TopicCoverage, remedies: Remedies): readonly string[] {
  const { environment, groups, contracts, unnamed } = topic;
  const rows = groups.map((group) => groupRow(topic, group).map(cell));
  const remarks = [
    ...contracts.flatMap((one) => contractText(one, remedies)),
    ...(unnamed.length === 0 ? [] : [`not named by any contract: ${unnamed.join(", ")}`]),
  ];
  return [
    "",
    `#### ${code(topic.topic)}`,
    "",
    `Environment ${cell(environment)}, ${POLICY_TEXTS[topic.mode](topic.policy)}: ${cell(lastPollText(topic))}`,
    ...(rows.length === 0 ? [] : markdownTable(HEAD.map(lower), rows)),
    ...(remarks.length === 0 ? [] : ["", ...remarks.map((line) => `- ${cell(line)}`)]),
  ];
}

function lower(text: string): string {
  return text.toLowerCase();
}
