import { writtenFields } from "../../avro/reading/compatibility.ts";
import type { Sight } from "./rule.ts";

/** Does the reader use the default of its field at `path`, because the events do not have the field? */
export function isUsed({ meetings }: Sight, path: readonly string[]): boolean {
  const name = path.at(-1);
  const around = path.slice(0, -1).join("\n");
  return meetings.some(({ reader, writer, path: there }) => {
    if (reader.kind !== "record" || writer.kind !== "record" || there.join("\n") !== around) return false;
    const field = reader.fields.find((own) => own.name === name);
    return field !== undefined && writtenFields(field, writer).length === 0;
  });
}
