import type { Attnum, Column } from "../../table/column.ts";
import type { KnownColumn } from "../../table/prove.ts";
import { parseLsn } from "../../wal/lsn.ts";
import type { Input, TableState, UnseenLabels } from "../state.ts";
import type { SeenColumn } from "./differ.ts";
import { enumLabels, type FileState, isRewritten, labelsById, renamedLabels } from "./rewritten.ts";

/**
 * Decides which rows have to be published again when a table's columns are seen, because their values have changed
 * without an event, or were never in one. If columns of the key are among them, rows remain at consumers under their
 * old keys, which nothing in the database knows any longer.
 */

type Seen = Extract<Input, { kind: "seen" }>;

export interface ChangedValues {
  /** Whether every row has to be published again. */
  readonly due: boolean;
  /** Columns of the key whose values may have changed without an event. */
  readonly keys: readonly Attnum[];
  /** The labels that this read has not shown. */
  readonly unseen: UnseenLabels | undefined;
}

export function changedValues(
  table: TableState,
  input: Seen,
  sure: readonly SeenColumn[],
  file: FileState,
): ChangedValues {
  const { unseen, shape } = table;
  const isShown = unseen !== undefined && input.readTo !== undefined && (parseLsn(unseen.at) ?? 0n) <= input.readTo;
  const labels = isShown ? unseen.labels.filter((one) => mayBeRenamed(sure, one)) : [];
  const relabelled = [...renamedLabels(table, sure), ...labels.map(({ attnum }) => attnum)];
  const isNewFile = input.rewritten === true || isRewritten(table, file);
  const redefined = (attnum: Attnum) =>
    table.versions === undefined || table.versions[String(attnum)] !== file.versions?.[String(attnum)];
  const keys = shape.key
    .map(({ attnum }) => attnum)
    .filter((attnum) => relabelled.includes(attnum) || (isNewFile && redefined(attnum)));
  return { due: isNewFile || relabelled.length > 0, keys, unseen: isShown ? undefined : unseen };
}

/**
 * Whether the label that a row was published with may have a different name now. Labels are never dropped, so one that
 * is missing was renamed. One that exists may be a later label of that name, if an older label is not known either.
 */
function mayBeRenamed(sure: readonly SeenColumn[], { attnum, label, newest }: UnseenLabels["labels"][number]): boolean {
  const columns: readonly (Column & KnownColumn)[] = sure.map(({ column }) => column);
  const labels = enumLabels(columns, attnum);
  if (labels === undefined) return false;
  if (!labels.includes(label)) return true;
  const type = columns.find((column) => column.attnum === attnum)?.type;
  const ids = type === undefined ? [] : [...labelsById(type)];
  const [holder = 0] = ids.find(([, name]) => name === label) ?? [];
  return ids.some(([id]) => id > newest && id < holder);
}
