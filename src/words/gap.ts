import type { ChunkJob } from "../chunk/job.ts";
import type { Gap, NotSent } from "../capture/sent.ts";
import { fullName, quoteIdentifier, quoteTable, type TableName } from "../table/quote.ts";
import { identifyNext, unidentifiedText } from "./identity.ts";
import { renderJobReason } from "./reason.ts";

/** The text about a table that is not sent, or was not sent for a while. */
export interface GapText {
  readonly what: string;
  /** What to do; undefined if there is nothing to do, because the table is being repaired. */
  readonly next: string | undefined;
}

/** `job` is the job that repairs the table. */
export function describeGap(table: TableName, publication: string, { news }: Gap, job: ChunkJob | undefined): GapText {
  const name = fullName(table);
  if (news.kind === "lost")
    return { what: `${name} ${lostText(table, news.why)}`, next: wayBack(table, publication, news.why) };
  if (news.kind === "emptied" || news.kind === "detached") return partitionsText(name, news);
  if (news.kind === "uncovered") return { what: `${name} ${wereUncoveredText(news.columns)}`, next: REMOVE_OLD };
  const what = `${name} ${news.kind === "rekeyed" ? rekeyedText(news.columns) : OVER[news.kind]}`;
  if (job?.state === "refused" && job.reason !== undefined) {
    return { what: `${what}. They are not published again: ${renderJobReason(job.reason)}`, next: REREAD };
  }
  if (job?.state === "waiting" && job.reason !== undefined) {
    return {
      what: `${what}. All its rows can be published again: ${renderJobReason(job.reason)}`,
      next: `fieldgate release ${job.topic}/repair --backfill all`,
    };
  }
  if (news.kind === "rekeyed") {
    const then = job === undefined ? "" : ". All its rows are published again under the keys that they have now";
    return {
      what: `${what}${then}`,
      next: REMOVE_OLD,
    };
  }
  const repair =
    job === undefined ? "" : ". All its rows are published again; consumers keep rows that were deleted in that time";
  return { what: `${what}${repair}`, next: undefined };
}

function partitionsText(name: string, { kind, partitions }: Extract<Gap["news"], { partitions: unknown }>): GapText {
  const which = `${name} ${kind === "emptied" ? "has" : "has lost"} partitions`;
  const next = "remove the rows of these partitions at the consumers, if they should not keep them";
  const what =
    kind === "emptied"
      ? `that were truncated, or rewritten by VACUUM FULL or CLUSTER: ${listed(partitions)}. PostgreSQL does not report TRUNCATE of a partition, so consumers keep its rows`
      : `by DETACH PARTITION or DROP TABLE: ${listed(partitions)}. Consumers keep their rows, and changes of a detached partition are not published`;
  return { what: `${which} ${what}`, next };
}

function listed(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  return `${names.slice(0, MAX_LISTED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

const MAX_LISTED = 5;

const REREAD = "give the table a primary key and capture it with a new connector, or correct its consumers by hand";

function rekeyedText(columns: readonly string[]): string {
  return `may have new values in ${columns.join(", ")} of its key, because the column was rewritten or a label of its enum was renamed: consumers keep the rows under their old keys, and no event removes them`;
}

const REMOVE_OLD = "remove the rows under the old keys at the consumers";

function wereUncoveredText(columns: readonly string[]): string {
  return `had a replica identity without ${columns.join(", ")} of the events' key for a while: the log does not say which key a row had that got a new one then, so consumers keep it under its old key as well`;
}

const OVER: Readonly<
  Record<Exclude<Gap["news"]["kind"], "lost" | "rekeyed" | "uncovered" | "emptied" | "detached">, string>
> = {
  again: "was not sent in full for a while: changes made in that time were not published",
  rewritten:
    "was rewritten (by ALTER TABLE, or by SET UNLOGGED and then LOGGED): changes made while a table is unlogged are not published",
  attached:
    "has new partitions that used to be separate tables: rows written to them before they were attached were never published",
};

/** A predicate whose subject is the table. */
export function lostText(table: TableName, why: NotSent): string {
  switch (why.kind) {
    case "dropped":
      return "was dropped: its topic and its consumers keep its last rows";
    case "unlisted":
      return "is no longer captured by the connector's file: its changes are not published";
    case "no-publication":
      return "is not sent: the publication does not exist";
    case "unpublished":
      return "is not sent: it is not in the publication, so its changes are not published";
    case "unidentified":
      return `is not in the publication: ${unidentifiedText(why.tables, isItself(table, why.tables))}`;
    case "unlogged":
      return "is not sent: it is UNLOGGED, so its changes are not published";
    case "foreign":
      return `is not sent in full: changes of partitions that are foreign tables are never in the log (${listed(why.partitions)})`;
    case "other-root":
      return "is not sent under its own name: the publication's publish_via_partition_root has changed";
    case "operations":
      return `is not sent in full: the publication leaves out ${why.operations.join(", ")}`;
    case "partial": {
      const parts = [why.columnList ? "a column list" : "", why.rowFilter ? "a row filter" : ""];
      return `is not sent in full: the publication has ${parts.filter((part) => part !== "").join(" and ")} for it`;
    }
    case "generated":
      return "is not sent as captured: the publication also sends its generated columns";
    default:
      return why satisfies never;
  }
}

/**
 * The statement that makes the publication send the table in full again. The repair starts when the next look sees
 * that.
 */
export function wayBack(table: TableName, publication: string, why: NotSent): string | undefined {
  const name = quoteTable(table);
  const alter = `ALTER PUBLICATION ${quoteIdentifier(publication)}`;
  switch (why.kind) {
    case "dropped":
    case "unlisted":
      return undefined;
    case "no-publication":
      return `CREATE PUBLICATION ${quoteIdentifier(publication)} FOR TABLE ${name}, …; or restart the connector`;
    case "unpublished":
      return `${alter} ADD TABLE ${name};`;
    case "unidentified":
      return identifyNext(why.tables);
    case "unlogged":
      return `ALTER TABLE ${name} SET LOGGED;`;
    case "foreign":
      return why.partitions.map((one) => `ALTER TABLE ${name} DETACH PARTITION ${one};`).join(" ");
    case "other-root":
      return `${alter} SET (publish_via_partition_root = ${why.viaRoot});`;
    case "operations":
      return `${alter} SET (publish = 'insert, update, delete, truncate');`;
    case "partial":
      return `${alter} DROP TABLE ${name}; ${alter} ADD TABLE ${name};`;
    case "generated":
      return `${alter} SET (publish_generated_columns = none);`;
    default:
      return why satisfies never;
  }
}

/** Is it not one of the table's partitions? */
export function isItself(table: TableName, unidentified: readonly TableName[]): boolean {
  return unidentified.every((one) => fullName(one) === fullName(table));
}
