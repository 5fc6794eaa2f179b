import { writtenFields } from "../../avro/reading/compatibility.ts";
import type { RuntimeRule } from "./rule.ts";

/** If the field has a default, its value is lost without an error. */
export const fieldAlias: RuntimeRule = {
  id: "runtime/field-alias",
  problem: "a field matches only by an alias, which the library ignores: it reads the default, or throws",
  severity: "error",
  runtimes: ["python-avro", "avro-rs"],
  find: ({ runtime, meetings }) =>
    meetings.flatMap(({ reader, writer, path, certainty }) => {
      if (reader.kind !== "record" || writer.kind !== "record") return [];
      return reader.fields.flatMap((field) => {
        const [source] = writtenFields(field, writer);
        if (source === undefined || source.name === field.name) return [];
        const there = [...path, field.name];
        const throws = field.default === undefined;
        return [
          {
            path: there,
            certainty,
            effect: throws ? "throws" : "reads-null-or-default",
            effectStated: true,
            describe: (at) =>
              `${at} is called "${source.name}" in the events and matches it only by an alias: ${runtime} ignores aliases of fields and ${throws ? "throws" : "reads the default"}`,
            remedy: `name the field "${source.name}" in the reader's schema`,
          },
        ];
      });
    }),
};
