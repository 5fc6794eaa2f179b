/** Which tables and columns of the database are captured: Debezium's include and exclude lists, compiled. */
export interface CaptureFilter {
  /** Is this table captured? `schema.table` as the catalog spells it. */
  readonly table: (schema: string, table: string) => boolean;
  /** Is this column of a captured table published? */
  readonly column: (schema: string, table: string, column: string) => boolean;
  /** message.key.columns: the event key's columns, in this order; undefined: the table's own key. */
  readonly keyColumns: (schema: string, table: string) => readonly string[] | undefined;
}
