import { createHash } from "node:crypto";
import type { TablesLook } from "../../capture/sent.ts";
import { labelsById } from "../../gate/amendment/rewritten.ts";
import type { TableState } from "../../gate/state.ts";
import type { ColumnType } from "../../table/column.ts";
import type { Parts } from "../session.ts";
import { startCatalogRead } from "./catalog-read.ts";

/**
 * After a look, reads each table in the catalog of which something is not known: columns that rows left in doubt, another
 * file than the one that was proven, an enum whose labels have changed. No row needs to come for that. What has not been
 * settled is read again after the next look.
 */
export function readAgain(session: Parts<"control" | "tape">, look: TablesLook, tables: Iterable<TableState>): void {
  if (session.outside.delivery === "none") return;
  for (const table of tables) {
    const { oid } = table.shape.table;
    const { file } = look.tables.get(Number(oid)) ?? {};
    if (file !== undefined && (table.doubt || table.filenode !== file || hasOtherLabels(look, table))) {
      startCatalogRead(session, oid);
    }
  }
}

function hasOtherLabels({ enums }: TablesLook, { known }: TableState): boolean {
  return known.some(({ type }) => {
    const labels = labelsById(type);
    const now = enums.get(enumOf(type));
    return now !== undefined && now !== digestOf(labels);
  });
}

/** The OID of the enum, which may be a domain's or an array's; 0: none. */
function enumOf({ oid, detail }: ColumnType): number {
  if (detail === undefined || detail.kind === "named") return 0;
  return detail.kind === "enum" ? oid : enumOf(detail.of);
}

/** The same computation as in the look's statement. */
function digestOf(labels: ReadonlyMap<number, string>): string {
  const text = [...labels]
    .toSorted(([left], [right]) => left - right)
    .map(([id, label]) => `${id}=${label}`)
    .join(",");
  return createHash("md5").update(text).digest("hex");
}
