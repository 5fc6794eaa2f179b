/** Which tables and columns of the database are captured: Debezium's include and exclude lists, compiled. */
export interface CaptureFilter {
  /** Is this table captured? Both names are spelled as in the catalog. */
  readonly table: (schema: string, table: string) => boolean;
  /** Is this column of a captured table in its row? A key column is in the key in any case. */
  readonly column: (schema: string, table: string, column: string) => boolean;
  /**
   * message.key.columns: which of the table's `columns` (in the table's order) make up the events' key, in the key's order;
   * undefined when the table's own key is used.
   */
  readonly keyColumns: (schema: string, table: string, columns: readonly string[]) => readonly string[] | undefined;
}
