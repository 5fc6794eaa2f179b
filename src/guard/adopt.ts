import { GuardError } from "../errors.ts";
import { readEnvelope } from "../event/schema.ts";
import { bind } from "../gate/bind.ts";
import type { Field, Json } from "../table/shape.ts";

/** The fields of a subject that exists (see `bind`). Throws GuardError("subject-unfit") for what is no Debezium envelope. */
export function adopt(topic: string, columns: readonly Field[], text: string): readonly Field[] {
  const read = readEnvelope(JSON.parse(text) as Json); // a registry's schema text is JSON
  if (read.kind === "no-envelope") {
    throw new GuardError("subject-unfit", `subject ${topic}-value: ${read.why}`, {
      next: "choose another topic.prefix, or remove the subject if nobody reads it",
    });
  }
  return bind(read.fields, columns);
}
