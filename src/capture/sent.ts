import type { LookedFile, LookedPublication, LookedTable, TablesLook } from "./look.ts";
import { needsIdentity, type Unidentified, unidentifiedOf } from "./identity.ts";

/**
 * Decides whether a table is still sent in full. A look at the catalog (src/postgres/look.ts) shows how the publication
 * includes each table. This file decides what that means, and what must have been missed since the previous look.
 * Entries are compared by identity, not by name: a table that left the publication and came back has a different entry
 * in it.
 */

/** What the connector requires of its publication. */
export interface SentNeed {
  readonly viaRoot: boolean;
  readonly operations: ReadonlySet<string>;
}

export type NotSent =
  | { readonly kind: "dropped" }
  | { readonly kind: "unlisted" }
  | { readonly kind: "no-publication" }
  | { readonly kind: "unpublished" }
  /** It is not in the publication, and must not be: the log cannot identify its rows, or those of these partitions. */
  | { readonly kind: "unidentified"; readonly tables: readonly Unidentified[] }
  | { readonly kind: "unlogged" }
  /** Changes of partitions that are foreign tables are never in the log. */
  | { readonly kind: "foreign"; readonly partitions: readonly string[] }
  | { readonly kind: "other-root"; readonly viaRoot: boolean }
  | { readonly kind: "operations"; readonly operations: readonly string[] }
  | { readonly kind: "partial"; readonly columnList: boolean; readonly rowFilter: boolean }
  /** The publication also sends its generated columns, and the columns in the log then differ from those that we expect. */
  | { readonly kind: "generated" };

/** What a later look is compared with, to prove that the table was sent without a gap. */
export interface SentMark {
  readonly kind: "sent";
  readonly published: string;
  /**
   * By OID: the files of the table, or of its partitions, each of which could have been UNLOGGED for a while. A table that is
   * listed by name could not. Absent in a state of an earlier version.
   */
  readonly files?: Readonly<Record<string, FileMark>> | undefined;
  readonly attached: readonly string[];
}

export type Sent = SentMark | NotSent;

/** `name`: that of the partition; absent for the table's own file. */
type FileMark = Pick<LookedFile, "file" | "toast"> & { readonly name?: string | undefined };

/** If there are more links than this, only their number is kept, so that a record stays small. */
const MAX_ATTACHED = 1000;

/** The files of a table with more partitions are not kept, so that a record stays small. */
const MAX_FILES = 1000;

/** How this table is sent under its own name. `table` is undefined if the table does not exist. */
export function sentAs(
  look: Pick<TablesLook, "publication" | "tables">,
  table: LookedTable | undefined,
  need: SentNeed,
): Sent {
  if (table === undefined) return { kind: "dropped" };
  const { publication } = look;
  const { own, above, persistence, columnList, rowFilter, generated, foreign, attached } = table;
  const isIn = publication !== undefined && (publication.allTables || own.length > 0 || above.length > 0);
  if (publication !== undefined && persistence !== "p") return { kind: "unlogged" };
  if (!isIn) {
    const tables = needsIdentity(publication?.operations ?? need.operations) ? unidentifiedOf(look, table) : [];
    if (tables.length > 0) return { kind: "unidentified", tables };
    return { kind: publication === undefined ? "no-publication" : "unpublished" };
  }
  if (isUnderOtherName(publication, table)) return { kind: "other-root", viaRoot: need.viaRoot };
  const unsent = [...need.operations].filter((operation) => !publication.operations.includes(operation));
  if (unsent.length > 0) return { kind: "operations", operations: unsent };
  if (columnList || rowFilter) return { kind: "partial", columnList, rowFilter };
  if (generated) return { kind: "generated" };
  if (foreign.length > 0) return { kind: "foreign", partitions: foreign };
  return {
    kind: "sent",
    published: [publication.identity, ...own, ...above].join(" "),
    files: filesOf(table),
    attached: attached.length > MAX_ATTACHED ? [`${attached.length} links`] : attached,
  };
}

function filesOf({ own, partitioned, files }: LookedTable): NonNullable<SentMark["files"]> {
  const byName = own.some((identity) => identity.startsWith("table:"));
  if (files.length > MAX_FILES || (byName && !partitioned)) return {};
  const nameOf = ({ name }: LookedFile) => (partitioned ? { name } : {});
  return Object.fromEntries(
    files.map((one) => [String(one.table), { ...nameOf(one), file: one.file, toast: one.toast }]),
  );
}

function isUnderOtherName({ viaRoot, allTables }: LookedPublication, table: LookedTable): boolean {
  if (table.partitioned) return !viaRoot;
  return viaRoot && (table.above.length > 0 || (allTables && table.ancestors.length > 0));
}

/** What happened to a table since the previous look. */
export type SentNews =
  | { readonly kind: "none" }
  /** It is sent as before. Only the values that identify its entry have changed. */
  | { readonly kind: "same" }
  /** It is no longer sent, or is not sent for a different reason than before. */
  | { readonly kind: "lost"; readonly why: NotSent }
  /** It is sent again after it was not sent for a while. */
  | { readonly kind: "again" }
  /** Rows were written to a new file, perhaps while it wrote no log. */
  | { readonly kind: "rewritten" }
  /** These partitions were truncated, which PostgreSQL does not report, or rewritten by VACUUM FULL or CLUSTER. */
  | { readonly kind: "emptied"; readonly partitions: readonly string[] }
  /** These partitions were detached or dropped. The log has no deletes of their rows. */
  | { readonly kind: "detached"; readonly partitions: readonly string[] }
  /** Existing tables became its partitions. The rows that they had before were never published. */
  | { readonly kind: "attached"; readonly links: readonly string[] };

/** The OIDs of the table and of its partitions whose files are those of a TRUNCATE that the log reports. */
export type Truncated = ReadonlySet<number>;

export const NONE_TRUNCATED: Truncated = new Set();

/** Its files, if the last change of their entries in the catalog was made by one of these transactions, which truncated it. */
export function truncatedBy(transactions: readonly string[], table: LookedTable | undefined): Truncated {
  const files = transactions.length === 0 ? [] : (table?.files ?? []);
  return new Set(files.filter(({ version }) => transactions.includes(version)).map((one) => one.table));
}

/** `before` is undefined if the catalog has not been read yet. */
export function sentNews(before: Sent | undefined, now: Sent, truncated: Truncated): SentNews {
  if (now.kind !== "sent") {
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(now)) return { kind: "none" };
    return { kind: "lost", why: now };
  }
  if (before === undefined) return { kind: "same" };
  if (before.kind !== "sent" || before.published !== now.published) return { kind: "again" };
  const links = now.attached.filter((link) => !before.attached.includes(link));
  if (links.length > 0) return { kind: "attached", links };
  const news = filesNews(before.files, now.files ?? {}, truncated);
  return news.kind === "none" && JSON.stringify(before) !== JSON.stringify(now) ? { kind: "same" } : news;
}

function filesNews(
  before: SentMark["files"] = {},
  now: NonNullable<SentMark["files"]>,
  truncated: Truncated,
): SentNews {
  const moved = Object.entries(now).flatMap(([table, { name, file, toast }]) => {
    const was = before[table];
    if (was === undefined || (was.file === file && was.toast === toast)) return [];
    // Without a TOAST table, only a TRUNCATE that the log reports is known not to be a rewrite.
    const isKept = was.toast === toast && toast !== 0;
    return [{ name, isKept, isReported: was.toast === toast && truncated.has(Number(table)) }];
  });
  if (moved.some(({ isKept, isReported }) => !isKept && !isReported)) return { kind: "rewritten" };
  const emptied = moved.flatMap(({ name, isReported }) => (isReported || name === undefined ? [] : [name]));
  if (emptied.length > 0) return { kind: "emptied", partitions: emptied };
  const gone = Object.entries(before).flatMap(([table, { name = "" }]) => (now[table] === undefined ? [name] : []));
  return gone.length > 0 ? { kind: "detached", partitions: gone } : { kind: "none" };
}

/**
 * Combines two looks, between which the connector itself may have changed the publication. The first look decides. A
 * table that was unsent in the first and is sent in the second counts as sent again.
 */
export function newsOver(before: Sent | undefined, first: Sent, second: Sent, truncated: Truncated): SentNews {
  if (second.kind !== "sent") return sentNews(before, second, truncated);
  if (first.kind !== "sent") return { kind: "again" };
  const news = sentNews(before, first, truncated);
  return news.kind === "none" && JSON.stringify(before) !== JSON.stringify(second) ? { kind: "same" } : news;
}

/**
 * A time in which changes of a captured table were not sent, because it was taken out of the publication, its rows were
 * filtered or it wrote no log. Changes made in that time are in no event, so once the table is sent again, all its rows
 * are published again. Rows deleted during the gap cannot be found by reading the table, and the alert says so.
 */
export interface Gap {
  readonly news:
    | Exclude<SentNews, { readonly kind: "none" | "same" }>
    /** It was sent, but these columns of its key have new values without an event: old keys stay with consumers. */
    | { readonly kind: "rekeyed"; readonly columns: readonly string[] }
    /** These columns of the events' key were not in old rows for a while: a row that moved to a new key stays under its old one. */
    | { readonly kind: "uncovered"; readonly columns: readonly string[] };
  /** Where the gap was noticed: a position in the log, and a time (ISO 8601). */
  readonly since: string;
  readonly time: string;
  readonly reported: boolean;
}

/** True if the gap is that the table was dropped, so that nothing can be read from it any longer. */
export function isOfDropped(gap: Gap | undefined): boolean {
  return gap?.news.kind === "lost" && gap.news.why.kind === "dropped";
}
