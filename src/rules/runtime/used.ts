import { writtenFields } from "../../avro/reading/compatibility.ts";
import type { Sight } from "./rule.ts";

/** Is the default of the reader's field at `path` what it reads, for want of a written one? */
export function isUsed({ meetings }: Sight, path: readonly string[]): boolean {
  const name = path.at(-1);
  const around = path.slice(0, -1).join("\n");
  return meetings.some(({ reader, writer, path: there }) => {
    if (reader.kind !== "record" || writer.kind !== "record" || there.join("\n") !== around) return false;
    const field = reader.fields.find((own) => own.name === name);
    return field !== undefined && writtenFields(field, writer).length === 0;
  });
}
