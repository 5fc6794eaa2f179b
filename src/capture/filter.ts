/** Which tables and columns of the database are captured: Debezium's include and exclude lists, compiled. */
export interface CaptureFilter {
  /** Is this table captured? `schema.table` as the catalog spells it. */
  readonly table: (schema: string, table: string) => boolean;
  /** Is this column of a captured table published? (A column of the key is in the key even when it is not.) */
  readonly column: (schema: string, table: string, column: string) => boolean;
  /**
   * message.key.columns: which of the table's columns (`columns`, in the table's order) make the event's key, in this
   * order; undefined: the table's own key.
   */
  readonly keyColumns: (schema: string, table: string, columns: readonly string[]) => readonly string[] | undefined;
}
