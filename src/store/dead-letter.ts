import type { ErrorCode } from "../errors.ts";
import type { Json } from "../json.ts";
import type { Attnum } from "../table/column.ts";
import type { Relation, RowChange } from "../wal/message.ts";
import { formatLsn, isoTime, type Lsn } from "../wal/lsn.ts";
import { editTuple, rowMessage, rowParts, textIn } from "../wal/rewrite.ts";

/**
 * A dead letter is a change that no event can carry, as a record of a topic of its own; docs/dead-letters.md describes the
 * format for those who read it. The value is one line of JSON, and after the line break the change as PostgreSQL sent
 * it, without the columns that are in no event.
 */

export interface DeadLetter {
  readonly topic: string;
  readonly table: { readonly oid: number; readonly schema: string; readonly name: string };
  /** As in events: create, update, delete, or a row that a snapshot or backfill has read; undefined: it was not read. */
  readonly op: "c" | "u" | "d" | "r" | undefined;
  readonly code: ErrorCode;
  /** The field whose value it is; undefined: the whole change is too large. */
  readonly field: string | undefined;
  readonly at: Place;
  /** What of the change is in events nevertheless. */
  readonly published: "row" | "removal" | "nothing";
  readonly decided: Decided;
  /** The fields of the event's key. */
  readonly key: readonly { readonly name: string; readonly attnum: Attnum }[];
  /** undefined: the change was too large to be read. */
  readonly change: LetterChange | undefined;
  /** The key's columns as text, where only they were read. */
  readonly keyTexts?: Readonly<Record<string, string | null>> | undefined;
}

/** Where a change was in the log. */
export interface Place {
  readonly lsn: Lsn;
  readonly xid: number;
  /** Microseconds since the Unix epoch. */
  readonly commitTime: bigint;
}

/** The connector's file, or an operator's command. */
export type Decided =
  | { readonly by: "policy" }
  | { readonly by: "operator"; readonly actor: string; readonly reason: string };

export interface LetterChange {
  readonly row: RowChange;
  readonly identity: Relation["identity"];
  /** The columns in wire order; undefined: it is in no event and is cut out. */
  readonly columns: readonly (LetterColumn | undefined)[];
}

export interface LetterColumn {
  readonly attnum: Attnum;
  readonly name: string;
  readonly typeOid: number;
  readonly typmod: number;
}

export interface LetterRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** The record of a dead letter; with `whole: false` without the change's bytes, for a topic that does not take them. */
export function letterRecord(letter: DeadLetter, whole: boolean): LetterRecord {
  const { topic, table, op, code, field, at, published, decided, change } = letter;
  const cut = change && cutChange(change);
  const key = letter.keyTexts ?? keyOf(letter.key, cut);
  const head = {
    v: 1,
    topic,
    table,
    ...(op === undefined ? {} : { op }),
    key,
    code,
    ...(field === undefined ? {} : { field }),
    lsn: formatLsn(at.lsn),
    xid: at.xid,
    commitTime: isoTime(at.commitTime),
    published,
    decided: { ...decided },
    ...(cut === undefined ? {} : { identity: cut.identity, columns: cut.columns.map(columnJson) }),
    bytes: cut === undefined || !whole ? 0 : cut.row.bytes.length,
  } satisfies Json;
  const line = Buffer.from(`${JSON.stringify(head)}\n`);
  return {
    key: Buffer.from(JSON.stringify({ topic, key })),
    value: cut === undefined || !whole ? line : Buffer.concat([line, cut.row.bytes]),
  };
}

function columnJson({ name, attnum, typeOid, typmod }: LetterColumn) {
  return { name, attnum: Number(attnum), typeOid, typmod };
}

interface CutChange extends LetterChange {
  readonly columns: readonly LetterColumn[];
}

/** Without the columns that no event has: withheld, excluded, or of an unsupported type. */
function cutChange({ row, identity, columns }: LetterChange): CutChange {
  const edit = (tuple: Buffer) => editTuple(tuple, (at) => (columns[at] === undefined ? "cut" : "keep"));
  const { old, now, ...rest } = rowParts(row);
  const cut = {
    ...rest,
    old: old && { ...old, tuple: edit(old.tuple) },
    now: now && edit(now),
  };
  return { row: rowMessage(cut), identity, columns: columns.filter((column) => column !== undefined) };
}

/** A larger key is only in the change itself. */
const MAX_KEY_CHARACTERS = 16_384;

/** The key's columns as text, of the new row where there is one; null: not known, too large, or events have no key. */
function keyOf(
  fields: DeadLetter["key"],
  change: CutChange | undefined,
): Readonly<Record<string, string | null>> | null {
  if (change === undefined || fields.length === 0) return null;
  const { old, now } = rowParts(change.row);
  const texts = fields.map(({ name, attnum }) => {
    const at = change.columns.findIndex((column) => column.attnum === attnum);
    const text = (now && textIn(now, at)) ?? (old && textIn(old.tuple, at));
    return [name, text ?? null] as const;
  });
  const characters = texts.reduce((sum, [, text]) => sum + (text?.length ?? 0), 0);
  return characters > MAX_KEY_CHARACTERS ? null : Object.fromEntries(texts);
}
