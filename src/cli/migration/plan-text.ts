import { findingLine } from "../../finding.ts";
import type { Verdict } from "../../gate/amendment/amendment.ts";
import type { PlannedAmendment, PlanView } from "../../api/plan.ts";

const SAYS: Readonly<Record<Verdict["verdict"], string>> = {
  ready: "ready",
  "not-ready": "not ready",
  unknown: "unknown",
};

export function planText(plan: PlanView): string {
  const { amendments, notes } = plan;
  const lines = [
    ...amendments.flatMap((one) => [`${title(one)}${linesText(one.lines)}`, ...facts(one).map((fact) => `  ${fact}`)]),
    ...notes.map(noteText),
    "order",
    ...order(plan).map((what, index) => `  ${index + 1}. ${what}`),
  ];
  return lines.join("\n");
}

/** For a pull request's comment. */
export function planMarkdown(plan: PlanView): string {
  const { amendments, notes } = plan;
  const rows = amendments.map((one) => {
    const { topic, what, mode, flows, why, verdicts } = one;
    const stands = mode === "watch" ? why : `${flows ? "flows" : "waits"}: ${why}`;
    const who = verdicts.map(({ consumer, verdict }) => `${consumer}: ${SAYS[verdict]}`).join("<br>") || "no contract";
    return `| ${[topic, `${what}${linesText(one.lines)}`, who, stands].map(cell).join(" | ")} |`;
  });
  const table = ["| topic | change | consumers | the field |", "|---|---|---|---|", ...rows];
  const reasons = amendments.flatMap(({ field, verdicts }) =>
    verdicts.flatMap((verdict) => verdictLines(verdict).map((line) => `- ${cell(field)}: ${cell(line)}`)),
  );
  return [
    "### Fieldgate: what this migration does to events",
    "",
    ...(amendments.length === 0 ? ["No published field changes."] : table),
    ...section("Why", reasons),
    ...section(
      "Not told",
      notes.map((note) => `- ${cell(noteText(note))}`),
    ),
    ...section(
      "Order",
      order(plan).map((what, index) => `${index + 1}. ${cell(what)}`),
    ),
  ].join("\n");
}

/** A name or a message is never markup. */
function cell(text: string): string {
  return text
    .replace(/[\\`*_[\]|#]/g, "\\$&")
    .replaceAll("\n", " ")
    .replace(/<(?!br>)/g, "&lt;");
}

function section(head: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", `**${head}**`, "", ...lines];
}

function title({ topic, what }: PlannedAmendment): string {
  return `${topic}: ${what}`;
}

function linesText(lines: readonly number[]): string {
  return lines.length === 0 ? "" : ` (line ${lines.join(", ")})`;
}

function facts({ mode, flows, why, meanwhile, verdicts }: PlannedAmendment): readonly string[] {
  const stands = flows ? `flows at once: ${why}` : `waits: ${why}. ${meanwhile}`;
  const gate = mode === "watch" ? why : stands;
  const none = verdicts.length === 0 ? ["no contract names this topic"] : [];
  const all = verdicts.flatMap((one) => [
    `${one.consumer} (${one.environment}): ${SAYS[one.verdict]}`,
    ...findings(one),
  ]);
  return [gate, ...none, ...all];
}

function findings({ findings: all }: Verdict): readonly string[] {
  return all.map((finding) => {
    const { remedy } = finding;
    return `  ${findingLine(finding)}${remedy === undefined ? "" : `; ${remedy}`}`;
  });
}

function verdictLines(verdict: Verdict): readonly string[] {
  return verdict.verdict === "ready" ? [] : findings(verdict).map((line) => `${verdict.consumer}: ${line.trim()}`);
}

function noteText({ line, table, message, kind }: PlanView["notes"][number]): string {
  return `${kind === "unknown" ? "unknown" : "note"}: line ${line}${table === null ? "" : `, ${table}`}: ${message}`;
}

/**
 * What to do in which order. The migration need not wait where the field only stays out of the events; where rows would
 * stop, or a consumer reads what goes, its turn is after the consumers'.
 */
function order({ amendments, notes }: PlanView): readonly string[] {
  const waiting = new Set(
    amendments.flatMap(({ verdicts }) => verdicts.filter((one) => one.verdict !== "ready").map((one) => one.consumer)),
  );
  const read = notes.filter(({ kind }) => kind === "unknown").map(({ line }) => line);
  const held = amendments.filter(({ mode }) => mode === "guard");
  return [
    ...(read.length === 0 ? [] : [`look at line ${[...new Set(read)].join(", ")}: nobody can tell what it does`]),
    ...(waiting.size === 0
      ? []
      : [`${[...waiting].join(", ")}: deploy a version that is ready, then fieldgate publish`]),
    migration(amendments),
    ...(held.some(({ flows }) => !flows) ? ["fieldgate amendments: release what still waits"] : []),
  ];
}

function migration(amendments: readonly PlannedAmendment[]): string {
  if (amendments.length === 0) return "the migration";
  const watched = amendments.filter(({ mode }) => mode === "watch");
  if (watched.some(({ why }) => why.startsWith("Debezium's task stops"))) {
    return "the migration, not as it is: Debezium's task would stop at the first row";
  }
  if (watched.length > 0)
    return "the migration: Debezium publishes it with the first row, nothing stays out of the events";
  const stops = amendments.some(({ flows, meanwhile }) => !flows && meanwhile.startsWith("Its rows stop"));
  return stops
    ? "the migration, with an operator at hand: its rows stop until the release"
    : "the migration: rows flow on, whatever waits stays out of the events";
}
