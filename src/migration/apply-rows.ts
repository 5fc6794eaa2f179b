import { below, type Draft, type DraftTable, find, isPartOfCaptured } from "./draft.ts";
import { notFound } from "./apply-table.ts";
import type { RowSecurity } from "./catalog.ts";
import type { DdlStep } from "./ddl-step.ts";
import { type MakeNote, type Note, noteOf } from "./note.ts";

/** Applies the steps that change which rows a captured table has, or which of them Fieldgate may read. */

export type RowStep = Extract<DdlStep, { readonly kind: "truncate" | "row-security" }>;

export function applyRowStep(draft: Draft, step: RowStep, note: MakeNote): readonly Note[] {
  const found = find(draft, step.table);
  if (found.kind === "several") return notFound(draft, step.table, found, note);
  switch (step.kind) {
    case "truncate":
      return truncate(draft, step, note);
    case "row-security":
      if (found.kind === "captured") secure(found.table, step);
      return [];
    default:
      return step satisfies never;
  }
}

/** A table that is not known may be a temporary one. */
function truncate(draft: Draft, step: Extract<RowStep, { kind: "truncate" }>, note: MakeNote): readonly Note[] {
  const found = find(draft, step.table);
  const own = found.kind === "captured" ? [found.table] : [];
  const emptied = [...own, ...below(draft, found, step.table)];
  const others = step.cascade
    ? note("CASCADE also empties the tables that reference it, which may be captured", { kind: "fine" })
    : [];
  if (found.kind === "other" && isPartOfCaptured(draft, found.other)) {
    return [
      ...note("this is a partition of a captured table: its rows are gone, without an event", { kind: "fine" }),
      ...others,
    ];
  }
  return [
    ...emptied.flatMap(({ before }) => note(emptiedText(draft, before.shape.topic), { kind: "fine" })),
    ...others,
  ];
}

function emptiedText({ rules }: Draft, topic: string): string {
  const isSkipped = rules["skipped.operations"]?.has("t") ?? true;
  return isSkipped
    ? `the rows are gone without an event, because skipped.operations has t: consumers of ${topic} keep them`
    : `consumers of ${topic} get an event with op t, which says that all rows are gone`;
}

function secure(table: DraftTable, step: Extract<RowStep, { kind: "row-security" }>): void {
  table.security = { ...table.security, ...CHANGES[step.change] };
  table.secured = step;
}

const CHANGES = {
  enable: { enabled: true },
  disable: { enabled: false },
  force: { forced: true },
  "no-force": { forced: false },
} as const;

/** The captured tables whose rows could no longer all be read after the migration. */
export function securityNotes({ tables, catalog }: Draft): readonly Note[] {
  return tables.flatMap(({ secured, security, securityBefore, dropped }) => {
    if (secured === undefined || dropped !== undefined || binds(securityBefore) || !binds(security)) return [];
    const sure = catalog === undefined ? "may hide rows" : "would hide rows";
    return noteOf(secured)(
      `row level security ${sure} from Fieldgate's role: changes flow, but snapshots, backfills and repairs of the table wait until the role has BYPASSRLS`,
    );
  });
}

function binds({ enabled, forced, owned, exempt }: RowSecurity): boolean {
  return enabled && !exempt && (forced || !owned);
}
