import type { CaptureFilter } from "../../capture/lists.ts";
import { topicName } from "../../event/envelope/names.ts";
import { RELEASE_POLICIES, type ReleasePolicy } from "../../gate/decision/policy.ts";
import { POISON_POLICIES, type PoisonPolicy } from "../../gate/poison-way.ts";
import { alternatives, type Mistake, nearestName } from "../../mistake.ts";
import type { ConnectorKeys } from "./connector-keys.ts";

/**
 * Keys that override a connector's key for one table, which they contain by its exact name, such as
 * `fieldgate.on.poison.public.orders`. A key whose table is not captured is a mistake, since it would have no effect.
 */

/** The keys that may end with `.<schema.table>`, and what their values may be. */
export const TABLE_KEYS = {
  "fieldgate.release.policy": RELEASE_POLICIES,
  "fieldgate.on.poison": POISON_POLICIES,
} as const satisfies Partial<Record<keyof ConnectorKeys, readonly string[]>>;

type TableKey = keyof typeof TABLE_KEYS;

/** By `schema.table`. */
export interface TableChoices {
  readonly "fieldgate.release.policy": ReadonlyMap<string, ReleasePolicy>;
  readonly "fieldgate.on.poison": ReadonlyMap<string, PoisonPolicy>;
}

/** True for a key of one table. */
export function isTableKey(key: string): boolean {
  return Object.keys(TABLE_KEYS).some((name) => key.startsWith(`${name}.`));
}

export function tableChoices(flat: Readonly<Record<string, unknown>>, mistakes: Mistake[]): TableChoices {
  return {
    "fieldgate.release.policy": choicesOf(flat, "fieldgate.release.policy", RELEASE_POLICIES, mistakes),
    "fieldgate.on.poison": choicesOf(flat, "fieldgate.on.poison", POISON_POLICIES, mistakes),
  };
}

function choicesOf<Choice extends string>(
  flat: Readonly<Record<string, unknown>>,
  name: TableKey,
  allowed: readonly Choice[],
  mistakes: Mistake[],
): ReadonlyMap<string, Choice> {
  const result = new Map<string, Choice>();
  for (const [key, value] of Object.entries(flat)) {
    if (!key.startsWith(`${name}.`)) continue;
    const choice = allowed.find((one) => one === value);
    if (choice === undefined) mistakes.push({ key, reason: `must be ${alternatives(allowed)}` });
    else result.set(key.slice(name.length + 1), choice);
  }
  return result;
}

/** Mistakes about tables that the file does not capture. */
export function strayTables(keys: ConnectorKeys, filter: CaptureFilter, choices: TableChoices): readonly Mistake[] {
  const named = (keys["table.include.list"] ?? []).filter(({ plain }) => plain).map(({ text }) => text);
  return Object.entries(choices).flatMap(([name, tables]: [string, TableChoices[TableKey]]) =>
    [...tables.keys()]
      .filter((table) => !filter.table(...schemaAndName(table)))
      .map((table) => {
        const nearest = nearestName(table, named);
        const hint = nearest === undefined ? "" : `: did you mean ${nearest}?`;
        return { key: `${name}.${table}`, reason: `names a table that is not captured${hint}` };
      }),
  );
}

/** The choices by topic. */
export function byTopic<Choice>(prefix: string, choices: ReadonlyMap<string, Choice>): ReadonlyMap<string, Choice> {
  return new Map([...choices].map(([table, choice]) => [topicName(prefix, ...schemaAndName(table)), choice]));
}

function schemaAndName(table: string): [schema: string, name: string] {
  const dot = table.indexOf(".");
  return [table.slice(0, Math.max(0, dot)), table.slice(dot + 1)];
}
