/** An SQL identifier for any name, e.g. `a"b` becomes `"a""b"`. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** For SQL: `"public"."customers"`. */
export function quoteTable(table: TableName): string {
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
}

/** For people, for lists of a connector's file, and as a key: `public.customers`. */
export function fullName({ schema, name }: TableName): string {
  return `${schema}.${name}`;
}
