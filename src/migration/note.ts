import type { DdlStep, TableName } from "./ddl-step.ts";

/** Something that cannot be judged here, or that a person should know, with its line and table. */
export interface Note {
  readonly line: number;
  readonly file: string | undefined;
  readonly table: string | undefined;
  readonly message: string;
  /** `unknown`: the effect on the events is unknown, or rows stop. `fine`: for information only. */
  readonly kind: "unknown" | "fine";
  /** The table's rows are no longer published. */
  readonly stops?: true | undefined;
  /** The database has nothing of the name. A different connector's database may. */
  readonly missing?: true | undefined;
}

export type MakeNote = (message: string, more?: Partial<Note>) => readonly Note[];

/** Makes the notes of a step. */
export function noteOf(step: DdlStep): MakeNote {
  const table = "table" in step && step.table !== undefined ? written(step.table) : undefined;
  return (message, more = {}) => [{ line: step.line, file: step.file, table, message, kind: "unknown", ...more }];
}

function written({ schema, name }: TableName): string {
  return schema === undefined ? name : `${schema}.${name}`;
}
