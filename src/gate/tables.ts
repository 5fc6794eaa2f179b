import { oncePer } from "../once.ts";
import type { TableOid } from "../table/column.ts";
import type { State, TableState } from "./state.ts";

/** An index of the captured tables by OID and by name. */
interface TableIndex {
  readonly byOid: ReadonlyMap<number, TableState>;
  readonly byName: ReadonlyMap<string, TableState>;
}

interface Named {
  readonly schema: string;
  readonly name: string;
}

/** Built once per set of tables, so handling the log never scans all of them. */
const indexOf = oncePer((tables: State["tables"]): TableIndex => {
  const byOid = new Map<number, TableState>();
  const byName = new Map<string, TableState>();
  for (const table of tables.values()) {
    const { shape, capturedAs } = table;
    byOid.set(Number(shape.table.oid), table);
    for (const named of capturedAs === undefined ? [shape.table] : [shape.table, capturedAs]) {
      const key = nameKey(named);
      if (!byName.has(key)) byName.set(key, table);
    }
  }
  return { byOid, byName };
});

export function tableByOid({ tables }: Pick<State, "tables">, oid: TableOid | number): TableState | undefined {
  return indexOf(tables).byOid.get(Number(oid));
}

/** The captured table with this name, or with this name in the connector's file if it was renamed since. */
export function tableByName({ tables }: Pick<State, "tables">, named: Named): TableState | undefined {
  return indexOf(tables).byName.get(nameKey(named));
}

/** Joins with NUL, which no PostgreSQL name contains. */
function nameKey({ schema, name }: Named): string {
  return `${schema}\0${name}`;
}
