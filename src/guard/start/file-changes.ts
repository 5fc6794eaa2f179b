import type { ListEntry } from "../../capture/lists.ts";
import type { ChunkJob } from "../../chunk/job.ts";
import { GuardError } from "../../errors.ts";
import { binaryModeOf, type ValueModes } from "../../event/types/modes.ts";
import { repairJob } from "../../gate/amendment/backfill.ts";
import { hiddenChanges } from "../../gate/amendment/modes.ts";
import type { TableState } from "../../gate/state.ts";
import { type FileKeys, followKeys, isSameRun, type LastRun } from "../../store/last-run.ts";
import type { Stored } from "../../store/records.ts";
import type { Table } from "../../table/column.ts";
import { isRepairedBy } from "../../words/file-change.ts";
import type { Outside, Settings } from "../outside.ts";
import { fullName } from "../../table/quote.ts";

/**
 * Compares the connector's file with what the last run used. A change that the state can follow is reported once, with
 * its consequences for consumers. A change is refused if it would change events without a difference in their schemas,
 * or if it would split a topic's keys. The error names everything that is affected.
 */

/** Keys whose changes are reported. None of them contains a secret or a row's value. */
const KEYS = [
  "database.dbname",
  "topic.prefix",
  "schema.include.list",
  "schema.exclude.list",
  "table.include.list",
  "table.exclude.list",
  "column.include.list",
  "column.exclude.list",
  "message.key.columns",
  "publication.name",
  "publish.via.partition.root",
  "snapshot.mode",
  "skipped.operations",
  "topic.heartbeat.prefix",
  "tombstones.on.delete",
  "decimal.handling.mode",
  "time.precision.mode",
  "interval.handling.mode",
  "binary.handling.mode",
  "hstore.handling.mode",
  "money.fraction.digits",
  "include.unknown.datatypes",
  "field.name.adjustment.mode",
  "unavailable.value.placeholder",
  "fieldgate.environment",
  "fieldgate.register",
  "fieldgate.release.policy",
  "fieldgate.on.unfit",
  "fieldgate.on.poison",
] as const satisfies readonly (keyof Settings)[];

/** The values of these keys that this run uses. */
export function keysOfFile(settings: Settings): FileKeys {
  return Object.fromEntries(KEYS.map((key) => [key, textOf(settings[key])]));
}

type Value = string | number | boolean | ReadonlySet<string> | readonly ListEntry[] | undefined;

function textOf(value: Value): string {
  if (value === undefined) return "";
  if (typeof value !== "object") return String(value);
  if ("size" in value) return value.size === 0 ? "none" : [...value].toSorted().join(",");
  return value.map(({ text }) => text).join(",");
}

export interface Followed {
  readonly lastRun: LastRun;
  /** Jobs that publish rows again that consumers lack after the change. */
  readonly jobs: readonly ChunkJob[];
  readonly tables: Stored["tables"];
}

/**
 * The state's last run, jobs and tables after the changes in the file. `tables`: the tables that the file captures.
 * `catalog`: the tables as the database has them.
 * @throws GuardError config-invalid for a change that cannot be followed
 */
export function followFile(
  { settings, delivery }: Pick<Outside, "settings" | "delivery">,
  stored: Stored,
  tables: Stored["tables"],
  catalog: readonly Table[],
): Followed {
  const keys = keysOfFile(settings);
  const { lastRun: before } = stored;
  if (before === undefined) return { lastRun: { keys, unreported: {} }, jobs: [], tables: stored.tables };
  const lastRun = followKeys(before, keys);
  const same = isSameRun(before, lastRun) ? before : lastRun;
  if (delivery === "none") return { lastRun: same, jobs: [], tables: stored.tables };
  refuseHidden(settings, before.keys, tables.values());
  const isKeyed = isChanged(before.keys, keys, "message.key.columns");
  const keyed = isKeyed ? keyedByFile(settings, tables, catalog) : [];
  const was = before.keys["skipped.operations"];
  const isDue = was !== undefined && isRepairedBy(was, keys["skipped.operations"] ?? "");
  const jobs = isDue ? [...tables.values()].map(({ shape }) => repairJob(shape)) : [];
  const after = keyed.length === 0 ? stored.tables : new Map([...stored.tables, ...keyed]);
  return { lastRun: same, jobs, tables: after };
}

function isChanged(before: FileKeys, now: FileKeys, key: string): boolean {
  return before[key] !== undefined && before[key] !== now[key];
}

const BACK_OR_NEW = "or use a new connector with a different name and topic.prefix";

function refuseHidden(settings: Settings, before: FileKeys, tables: Iterable<TableState>): void {
  const { modes } = settings;
  const was: Pick<ValueModes, "binary" | "placeholder"> = {
    binary: binaryModeOf(before["binary.handling.mode"]) ?? modes.binary,
    placeholder: before["unavailable.value.placeholder"] ?? modes.placeholder,
  };
  const hidden = hiddenChanges(was, modes, tables);
  if (hidden.length === 0) return;
  const each = hidden.map(({ key, fields }) => `${key} (was ${before[key] ?? ""}) for ${listed(fields)}`);
  throw new GuardError(
    "config-invalid",
    `no schema would show that these values are written differently, so their readers cannot be asked: ${each.join("; ")}`,
    { next: `set ${hidden.map(({ key }) => key).join(" and ")} back to what it was, ${BACK_OR_NEW}` },
  );
}

const LISTED = 100;

function listed(names: readonly string[]): string {
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : "";
  return `${names.slice(0, LISTED).join(", ")}${more}`;
}

/**
 * Checks a changed key setting. The events' key cannot change while a topic exists, because a new key would move rows
 * to other partitions. If the file sets the same key as the table has, the key is no longer pinned by the file.
 */
function keyedByFile(
  { filter }: Settings,
  tables: Stored["tables"],
  catalog: readonly Table[],
): readonly (readonly [string, TableState])[] {
  const faults: string[] = [];
  const freed: (readonly [string, TableState])[] = [];
  for (const [topic, table] of tables) {
    const found = catalog.find(({ oid }) => oid === table.shape.table.oid);
    if (found === undefined) continue;
    const { schema, name } = table.capturedAs ?? table.shape.table;
    const nameOf = (attnum: number) => found.columns.find((column) => column.attnum === attnum)?.name ?? "?";
    const now = table.shape.key.map(({ attnum }) => nameOf(attnum));
    const own = found.key.map(nameOf);
    const byFile = filter.keyColumns(
      schema,
      name,
      found.columns.map((column) => column.name),
    );
    const isPinned = table.rowKey !== undefined;
    const wanted = byFile ?? (isPinned ? own : now);
    if (wanted.join() !== now.join()) {
      faults.push(
        `${fullName({ schema, name })} has events with key (${now.join(", ")}), and the file says (${wanted.join(", ")})`,
      );
    } else if (isPinned && byFile === undefined) freed.push([topic, { ...table, rowKey: undefined }]);
  }
  if (faults.length === 0) return freed;
  throw new GuardError("config-invalid", `message.key.columns cannot change the key of events: ${listed(faults)}`, {
    next: `set message.key.columns back to what it was, ${BACK_OR_NEW}`,
  });
}
