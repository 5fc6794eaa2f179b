import { z } from "zod";

import { type EntryList, entryList, keyColumnList, type ListEntry } from "../../capture/lists.ts";
import { choice, flag, key, refuse, text, wholeNumber } from "./key.ts";

/** The keys of a connector's file that determine what is captured. */

const LIST = "be a comma-separated list of regular expressions, each matching a whole";

/** What is captured, and how it is read from the server. The names are Debezium's. */
export const captureKeys = {
  "schema.include.list": key(list(1).optional(), `${LIST} schema name`, "public,sales"),
  "schema.exclude.list": key(list(1).optional(), `${LIST} schema name`, "audit,tmp_.*"),
  "table.include.list": key(list(2).optional(), `${LIST} schema.table`, "public.customers,public\\.order_.*"),
  "table.exclude.list": key(list(2).optional(), `${LIST} schema.table`, "public\\.tmp_.*"),
  "column.include.list": key(list(3).optional(), `${LIST} schema.table.column`, "public.customers.(id|name)"),
  "column.exclude.list": key(list(3).optional(), `${LIST} schema.table.column`, "public\\..*\\.password_hash"),
  "message.key.columns": key(
    z.string().transform(readWith(keyColumnList)).optional(),
    "be schema.table:column,column; separate several tables by `;`",
    "public.orders:tenant_id,id",
  ),
  "slot.name": key(text(/^[a-z0-9_]{1,63}$/).optional(), "be 1 to 63 of a-z, 0-9 and `_`", "fieldgate_inventory"),
  "publication.name": key(
    text(/^[A-Za-z0-9_]{1,63}$/).optional(),
    "be 1 to 63 letters, digits or `_`",
    "fieldgate_inventory",
  ),
  "publication.autocreate.mode": choice(["filtered", "all_tables", "disabled", "no_tables"], "filtered"),
  "publish.via.partition.root": flag(false, true),
  "plugin.name": key(z.literal("pgoutput").optional(), "be pgoutput, the only plugin Fieldgate supports", "pgoutput"),
  "snapshot.mode": key(
    z
      .enum(["initial", "no_data", "never", "initial_only"])
      .default("initial")
      .transform((mode) => (mode === "never" ? "no_data" : mode)),
    "be initial (publish the existing rows, then changes; the nearest to always and when_needed), no_data or its old " +
      "name never (changes only), or initial_only (the existing rows, then nothing)",
    "initial",
  ),
  "skipped.operations": key(
    z.string().transform(operations).default(operations("t")),
    "be none, or a comma-separated list of c, u, d and t",
    "t",
  ),
  "heartbeat.interval.ms": key(
    wholeNumber(0, 86_400_000).default(0),
    "be a number of milliseconds; 0 means no heartbeat",
    10_000,
  ),
  "topic.heartbeat.prefix": key(
    text(/^[A-Za-z0-9._-]{1,100}$/).default("__debezium-heartbeat"),
    "be 1 to 100 letters, digits, `.`, `_` or `-`",
    "__debezium-heartbeat",
  ),
  "heartbeat.action.query": key(
    text(/./s).optional(),
    "be one SQL statement",
    "INSERT INTO public.heartbeat (at) VALUES (now())",
  ),
};

/** A name with too few parts can never match, so it is reported rather than ignored. */
function list(parts: 1 | 2 | 3) {
  const form = ["schema", "schema.table", "schema.table.column"][parts - 1];
  return z.string().transform((value, context) => {
    const entries = readWith(entryList)(value, context);
    for (const [index, entry] of entries.entries()) {
      if (entry.plain && entry.text.split(".").length < parts) refuse(context, `entry ${index + 1} is not ${form}`);
    }
    return entries;
  });
}

function readWith(read: (text: string) => EntryList) {
  return (value: string, context: z.RefinementCtx): readonly ListEntry[] => {
    const result = read(value);
    if (result.kind === "list") return result.entries;
    for (const why of result.why) refuse(context, why);
    return [];
  };
}

function operations(value: string, context?: z.RefinementCtx): ReadonlySet<"c" | "u" | "d" | "t"> {
  const names = value.split(",").map((name) => name.trim());
  if (names.length === 1 && names[0] === "none") return new Set();
  const known = names.filter((name) => name === "c" || name === "u" || name === "d" || name === "t");
  if (known.length < names.length) context?.addIssue({ code: "custom" });
  return new Set(known);
}
