import { visibleIn } from "../../visible.ts";
import { findingLine } from "../../finding.ts";
import type { Verdict } from "../../gate/amendment/amendment.ts";
import type { PlannedAmendment, PlanView } from "../../api/plan.ts";
import { totalLines, VERDICT_TONES, verdictText } from "../command.ts";
import { cell, markdownTable } from "../markdown.ts";
import { type Remedies, sharedLines, sharedMarkdown, shareRemedies } from "../remedies.ts";
import type { Screen } from "../screen.ts";

/**
 * Renders the service's answer to `plan`: what each statement does to the events, which consumers are ready, what could
 * not be analysed, and the order of the steps.
 */

export function planText(given: PlanView, screen: Screen): string {
  const plan = visibleIn(given);
  const { amendments, notes } = plan;
  const remedies = remediesOf(plan);
  const lines = [
    ...amendments.flatMap((one) => [
      `${one.topic}: ${one.what}${placeText(one)}`,
      ...facts(one, remedies, screen).map((fact) => `  ${fact}`),
    ]),
    ...notes.map(noteText),
    ...sharedLines(remedies),
    "order",
    ...orderSteps(plan).map((step, index) => `  ${index + 1}. ${step}`),
    ...totalLines(amendments.filter(isReady).length, amendments.length, "changes are ready", screen),
  ];
  return lines.join("\n");
}

function remediesOf({ amendments }: PlanView): Remedies {
  return shareRemedies(amendments.flatMap(({ verdicts }) => verdicts.flatMap(({ findings }) => findings)));
}

/** True if it flows at once and every consumer is ready for it. */
export function isReady({ flows, verdicts }: PlannedAmendment): boolean {
  return flows && verdicts.every(({ verdict }) => verdict === "ready");
}

/** Renders the plan for a comment on a pull request. */
export function planMarkdown(given: PlanView): string {
  const plan = visibleIn(given);
  const { amendments, notes } = plan;
  const remedies = remediesOf(plan);
  const rows = amendments.map((one) => [
    cell(one.topic),
    cell(`${one.what}${placeText(one)}`),
    one.verdicts.map(({ consumer, verdict }) => cell(`${consumer}: ${verdictText(verdict)}`)).join("<br>") ||
      "no contract",
    cell(outcome(one)),
  ]);
  const reasons = amendments.flatMap(({ field, verdicts }) =>
    verdicts
      .filter(({ verdict }) => verdict !== "ready")
      .flatMap((one) =>
        findingLines(one, remedies).map((line) => `- ${cell(field)}: ${cell(`${one.consumer}: ${line}`)}`),
      ),
  );
  return [
    "### Fieldgate: what this migration does to events",
    ...(amendments.length === 0
      ? ["", "No published field changes."]
      : markdownTable(["topic", "change", "consumers", "outcome"], rows)),
    ...section("Why", reasons),
    ...sharedMarkdown(remedies),
    ...section(
      "Notes",
      notes.map((note) => `- ${cell(noteText(note))}`),
    ),
    ...section(
      "Order",
      orderSteps(plan).map((step, index) => `${index + 1}. ${cell(step)}`),
    ),
  ].join("\n");
}

function section(head: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", `**${head}**`, "", ...lines];
}

function placeText({ lines, files }: PlannedAmendment): string {
  if (files !== undefined) return ` (${files.join(", ")})`;
  return lines.length === 0 ? "" : ` (line ${lines.join(", ")})`;
}

function facts(amendment: PlannedAmendment, remedies: Remedies, { paint }: Screen): readonly string[] {
  const { meanwhile, verdicts } = amendment;
  const none = verdicts.length === 0 ? ["no contract names this topic"] : [];
  const consumers = verdicts.flatMap((one) => [
    `${one.consumer} (${one.environment}): ${paint(VERDICT_TONES[one.verdict], verdictText(one.verdict))}`,
    ...findingLines(one, remedies).map((line) => `  ${line}`),
  ]);
  return [`${outcome(amendment)}${isHeldBack(amendment) ? `. ${meanwhile}` : ""}`, ...none, ...consumers];
}

/** True if Fieldgate would withhold the amendment. In watch mode, where Debezium publishes, nothing is withheld. */
function isHeldBack({ mode, flows }: PlannedAmendment): boolean {
  return mode === "guard" && !flows;
}

/** In watch mode Fieldgate does not decide anything, so this is only the reason. */
function outcome({ mode, flows, why }: PlannedAmendment): string {
  if (mode === "watch") return why;
  return flows ? `published at once: ${why}` : `waits: ${why}`;
}

function findingLines({ findings }: Verdict, remedies: Remedies): readonly string[] {
  return findings.map((finding) => {
    const remedy = remedies.ownOf(finding);
    return `${findingLine(finding)}${remedy === undefined ? "" : `; ${remedy}`}`;
  });
}

type Note = PlanView["notes"][number];

function noteText(note: Note): string {
  const { table, message, kind, stops } = note;
  const word = stops === true ? "stops" : kind === "unknown" ? "unknown" : "note";
  return `${word}: ${noteLine(note)}${table === null ? "" : `, ${table}`}: ${message}`;
}

function isUnknown({ kind, stops }: Note): boolean {
  return kind === "unknown" && stops !== true;
}

function noteLine({ line, file }: Note): string {
  return file === undefined ? `line ${line}` : `${file}:${line}`;
}

/**
 * The steps, with the consumers before the migration. That order is required only if rows would stop or if a consumer
 * reads a removed field; any other field is withheld until its consumers are ready.
 */
function orderSteps({ amendments, notes }: PlanView): readonly string[] {
  const releasable = amendments.filter(({ instead }) => instead === undefined);
  const waiting = new Set(
    releasable.flatMap(({ verdicts }) => verdicts.filter((one) => one.verdict !== "ready").map((one) => one.consumer)),
  );
  const unknown = [...new Set(notes.filter(isUnknown).map(noteLine))];
  const last = releasable.some(isHeldBack) ? ["fieldgate amendments: release what is still withheld"] : [];
  return [
    ...(unknown.length === 0 ? [] : [reviewStep(unknown)]),
    ...amendments.filter(isHeldBack).flatMap(insteadSteps),
    ...(waiting.size === 0
      ? []
      : [`${[...waiting].join(", ")}: deploy a version that is ready, then fieldgate publish`]),
    migrationStep({ amendments, notes }),
    ...last,
  ];
}

/** It comes before the migration, because the usual remedy is a different migration. */
function insteadSteps({ topic, field, instead }: PlannedAmendment): readonly string[] {
  return instead === undefined ? [] : [`${topic}.${field} cannot be released: ${instead}`];
}

function reviewStep(places: readonly string[]): string {
  if (places.length === 1) return `${places.join()}: review it by hand`;
  const lines = places.every((place) => place.startsWith("line "));
  const list = lines ? `lines ${places.map((place) => place.slice(5)).join(", ")}` : places.join(", ");
  return `${list}: review them by hand`;
}

function migrationStep({ amendments, notes }: PlanView): string {
  const stops = [...amendments, ...notes].some((one) => one.stops === true);
  if (amendments.length === 0 && !stops) return "run the migration";
  if (amendments.some(({ mode }) => mode === "watch")) {
    return stops
      ? "do not run this migration as it is: Debezium's task would stop at the next row"
      : "run the migration: Debezium publishes the change with the next row";
  }
  if (amendments.some((one) => one.stops && one.instead !== undefined)) {
    return "do not run this migration as it is: the table's rows would stop, and no release could let them flow";
  }
  const until = amendments.some((one) => one.stops)
    ? "the table's rows stop until the release"
    : "a table's events stop";
  return stops
    ? `run the migration, with an operator at hand: ${until}`
    : "run the migration: rows continue to flow, without the withheld fields";
}
