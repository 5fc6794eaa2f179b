import { touch } from "../../chunk/window.ts";
import type { EventMark } from "../../event/envelope/source.ts";
import type { RowEncoder } from "../../event/row-encoder.ts";
import type { RowChange } from "../../wal/message.ts";
import { noteUnseenLabels } from "../control/catalog-read.ts";
import { type Captured, type Parts, tableOf } from "../session.ts";
import { putChange } from "./batch.ts";
import { keyTexts } from "./chunk-columns.ts";
import { readMovedKey } from "./chunks.ts";

type Publishing = Parts<"tape" | "control" | "batch" | "chunks">;

export const OPERATIONS = { insert: "c", update: "u", delete: "d" } as const;

/**
 * Publishes one row change, from the log or from the parked topic. `columns` are those of `row`.
 * @throws GuardError value-unfit, record-too-large
 */
export function publishChange(
  session: Publishing,
  topic: string,
  encoder: RowEncoder,
  { columns, rowKeys }: Pick<Captured, "columns" | "rowKeys">,
  row: RowChange,
  mark: EventMark,
): void {
  const { control, batch, chunks, outside } = session;
  const window = chunks.active?.job.topic === topic ? chunks.active.window : undefined;
  const unsent = window !== undefined || row.oldKind === "key" ? encoder.hasUnchangedToast(row) : false;
  const isSkipped = outside.settings["skipped.operations"].has(OPERATIONS[row.kind]);
  const byKey = rowKeys ?? encoder;
  // A change that is not published does not replace the row that the chunk has read.
  if (window !== undefined && !isSkipped) touch(window, byKey.keysOf(row), unsent);
  if (row.kind === "update" && (isSkipped ? isMoved(row, byKey) : row.oldKind === "key" && unsent)) {
    const table = tableOf(control.state, topic);
    readMovedKey(session, topic, keyTexts(table, columns, row.bytes, row.newAt));
  }
  if (isSkipped) return;
  putChange(batch, control.state, topic, encoder.change(row, mark), mark.lsn);
  const unseen = encoder.takeUnseenLabels();
  if (unseen.length > 0) noteUnseenLabels(session, tableOf(control.state, topic), unseen, mark.lsn);
}

/**
 * True if the row got a new key. The log has an old key only if the key changed; a full old row also has the large
 * values.
 */
function isMoved(row: RowChange, byKey: RowEncoder): boolean {
  return row.oldKind === "key" || (row.oldKind !== "none" && byKey.keysOf(row).length > 1);
}
