/**
 * Is a table still sent, and all of it? A look at the catalog (src/postgres/look.ts) says how the publication has each
 * table; this says what that means, and what must have been missed since the look before. Identities count, not names: a
 * table that left the publication and came back has another entry in it.
 */

/** One look at all tables of the database and at the connector's publication. */
export interface TablesLook {
  /** undefined: there is no publication of this name. */
  readonly publication: LookedPublication | undefined;
  /** By OID. */
  readonly tables: ReadonlyMap<number, LookedTable>;
  /** The same by `schema.table`. */
  readonly named: ReadonlyMap<string, LookedTable>;
  /** By type OID: a digest of the enum's labels. */
  readonly enums: ReadonlyMap<number, string>;
}

export interface LookedPublication {
  /** OID and xmin of its row: another value after any ALTER PUBLICATION … SET, and once it was dropped and made again. */
  readonly identity: string;
  readonly allTables: boolean;
  readonly viaRoot: boolean;
  readonly operations: readonly string[];
}

export interface LookedTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly partitioned: boolean;
  /** It writes no log, or did not at the last look: `p` permanent, `u` unlogged. A partitioned table as its partitions. */
  readonly persistence: string;
  readonly file: number;
  readonly readable: boolean;
  /** The schema may not be used, whatever is granted on the table. */
  readonly usable: boolean;
  /** The log identifies its rows; PostgreSQL refuses UPDATE and DELETE of a published table without. */
  readonly identified: boolean;
  readonly ancestors: readonly number[];
  /** Identities of what puts it in the publication by name or by its schema, and of what puts its ancestors there. */
  readonly own: readonly string[];
  readonly above: readonly string[];
  readonly columnList: boolean;
  readonly rowFilter: boolean;
  /** Of its partitions those that existed as tables of their own before: `oid.link`. */
  readonly attached: readonly string[];
}

/** What the connector needs of its publication. */
export interface SentNeed {
  readonly viaRoot: boolean;
  readonly operations: ReadonlySet<string>;
}

export type NotSent =
  | { readonly kind: "dropped" }
  | { readonly kind: "unlisted" }
  | { readonly kind: "no-publication" }
  | { readonly kind: "unpublished" }
  | { readonly kind: "unlogged" }
  | { readonly kind: "other-root"; readonly viaRoot: boolean }
  | { readonly kind: "operations"; readonly operations: readonly string[] }
  | { readonly kind: "partial"; readonly columnList: boolean; readonly rowFilter: boolean };

/** By which a later look shows that the table was sent without a gap. */
export interface SentMark {
  readonly kind: "sent";
  readonly published: string;
  /** Only where the table could have been UNLOGGED for a while: one that is listed by name cannot. */
  readonly file: number | undefined;
  readonly attached: readonly string[];
}

export type Sent = SentMark | NotSent;

/** More links than these are kept as one digest of the whole list, so a record stays small. */
const MAX_ATTACHED = 1000;

/** How this table is sent under its own name. `table` undefined: it does not exist. */
export function sentAs(
  { publication }: Pick<TablesLook, "publication">,
  table: LookedTable | undefined,
  need: SentNeed,
): Sent {
  if (table === undefined) return { kind: "dropped" };
  if (publication === undefined) return { kind: "no-publication" };
  const { own, above, persistence, columnList, rowFilter, file, attached } = table;
  if (persistence !== "p") return { kind: "unlogged" };
  if (!publication.allTables && own.length === 0 && above.length === 0) return { kind: "unpublished" };
  if (isUnderOtherName(publication, table)) return { kind: "other-root", viaRoot: need.viaRoot };
  const unsent = [...need.operations].filter((operation) => !publication.operations.includes(operation));
  if (unsent.length > 0) return { kind: "operations", operations: unsent };
  if (columnList || rowFilter) return { kind: "partial", columnList, rowFilter };
  const byName = own.some((identity) => identity.startsWith("table:"));
  return {
    kind: "sent",
    published: [publication.identity, ...own, ...above].join(" "),
    file: byName || table.partitioned ? undefined : file,
    attached: attached.length > MAX_ATTACHED ? [`${attached.length} links`] : attached,
  };
}

function isUnderOtherName({ viaRoot, allTables }: LookedPublication, table: LookedTable): boolean {
  if (table.partitioned) return !viaRoot;
  return viaRoot && (table.above.length > 0 || (allTables && table.ancestors.length > 0));
}

/** What happened to a table since the look before. */
export type SentNews =
  | { readonly kind: "none" }
  /** It is sent as before, and only what identifies that has changed. */
  | { readonly kind: "same" }
  /** It is not sent from now on, or in another way not. */
  | { readonly kind: "lost"; readonly why: NotSent }
  /** It is sent again, and was not for a while. */
  | { readonly kind: "again" }
  /** Its rows were written to another file: by VACUUM FULL or CLUSTER, or while it wrote no log. */
  | { readonly kind: "rewritten" }
  /** Tables became partitions of it, and their rows before that were in no event. */
  | { readonly kind: "attached"; readonly links: readonly string[] };

/** `before` undefined: no one has read the catalog yet. */
export function sentNews(before: Sent | undefined, now: Sent, wasTruncated: boolean): SentNews {
  if (now.kind !== "sent") {
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(now)) return { kind: "none" };
    return { kind: "lost", why: now };
  }
  if (before === undefined) return { kind: "same" };
  if (before.kind !== "sent" || before.published !== now.published) return { kind: "again" };
  const links = now.attached.filter((link) => !before.attached.includes(link));
  if (links.length > 0) return { kind: "attached", links };
  const isMoved = before.file !== undefined && now.file !== undefined && before.file !== now.file;
  if (isMoved && !wasTruncated) return { kind: "rewritten" };
  return isMoved || before.attached.length !== now.attached.length || before.file !== now.file
    ? { kind: "same" }
    : { kind: "none" };
}

/**
 * The news over two looks, between which the connector itself may have changed the publication: what the first one shows
 * counts, and a table that it did not find sent is sent again with the second.
 */
export function newsOver(before: Sent | undefined, first: Sent, second: Sent, wasTruncated: boolean): SentNews {
  if (second.kind !== "sent") return sentNews(before, second, wasTruncated);
  if (first.kind !== "sent") return { kind: "again" };
  const news = sentNews(before, first, wasTruncated);
  return news.kind === "none" && JSON.stringify(before) !== JSON.stringify(second) ? { kind: "same" } : news;
}

/**
 * A gap is a time in which changes of a captured table were not sent: it was taken out of the publication, its rows were
 * filtered, it wrote no log. What was written then is in no event, so once the table is sent again all its rows are
 * published once more. The deletes of the gap cannot be known from a table, and people are reported so.
 */
export interface Gap {
  readonly news: Exclude<SentNews, { readonly kind: "none" | "same" }>;
  /** Where it was noticed: a position in the log, and when (ISO 8601). */
  readonly since: string;
  readonly time: string;
  readonly reported: boolean;
}
