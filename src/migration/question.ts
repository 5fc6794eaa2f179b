import type { State } from "../gate/state.ts";
import type { CatalogQuestion } from "./catalog.ts";
import type { DdlStep } from "./ddl-step.ts";

/** The names in a migration that the catalog has to be asked about. */
export function questionOf(steps: readonly DdlStep[], state: State): CatalogQuestion {
  const relations = new Set<string>();
  const types = new Set<string>();
  const functions = new Set<string>();
  for (const step of steps) {
    if ("table" in step && step.table !== undefined) relations.add(step.table.name);
    if ("partition" in step) relations.add(step.partition.name);
    if (step.kind === "create-table" && step.parent !== undefined) relations.add(step.parent.name);
    if (step.kind === "rename-table") relations.add(step.to);
    if (step.kind === "add") types.add(bare(step.column.type.name));
    else if (step.kind === "create-domain") types.add(bare(step.base.name));
    if ("type" in step) types.add(bare(step.type.name));
    if (step.kind === "call") functions.add(step.function.name);
    for (const { of, name, table } of step.only ?? []) {
      if (of === "table") relations.add(name);
      if (of === "type") types.add(name);
      if (table !== undefined) relations.add(table);
    }
  }
  const captured = [...state.tables.values()].map(({ shape }) => Number(shape.table.oid));
  return { relations: [...relations], types: [...types], functions: [...functions], captured };
}

function bare(name: string): string {
  return name.split(".").at(-1) ?? name;
}
