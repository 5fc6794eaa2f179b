import { canonicalForm } from "../../avro/canonical.ts";
import { isNamed, type AvroRecord, type AvroSchema } from "../../avro/schema.ts";
import type { RuntimeFound, RuntimeRule } from "./rule.ts";
import { type Meeting, type Place } from "./walk.ts";

/** The properties that every JavaScript object has. avsc keeps its tables of names in objects. */
const INHERITED = new Set(Object.getOwnPropertyNames(Object.prototype));

export const javascriptName: RuntimeRule = {
  id: "runtime/javascript-name",
  problem:
    "a name that every JavaScript object already has, such as constructor or __proto__: avsc rejects it or loses the value",
  severity: "error",
  runtimes: ["avsc"],
  effect: "throws",
  inSchema: (_, places) => places.flatMap(({ schema, path, again }) => (again ? [] : inDefinition(schema, path))),
  find: ({ parsed, reader, writer, meetings }) => [
    ...protoLost(parsed[0] ?? []),
    ...(reader === undefined ? [] : inResolvers(reader, writer, meetings)),
  ],
};

/** Names that avsc cannot define, because it looks up types and symbols in tables of names. */
function inDefinition(schema: AvroSchema, path: readonly string[]): readonly RuntimeFound[] {
  if (!isNamed(schema)) return [];
  const symbols = schema.kind === "enum" ? schema.symbols : [];
  return [schema.fullName, ...symbols].filter((name) => INHERITED.has(name)).map((name) => refused(path, name));
}

/** Fields named `__proto__`, which is a JavaScript object's prototype and not a property. */
function protoLost(places: readonly Place[]): readonly RuntimeFound[] {
  return places.flatMap(({ schema, path, again }) => {
    if (schema.kind !== "record" || again || !schema.fields.some(({ name }) => name === "__proto__")) return [];
    const there = [...path, "__proto__"];
    return [
      {
        path: there,
        certainty: "always",
        effect: "reads-null-or-default",
        describe: (at) => `${at} cannot be a property of what avsc returns: its value is lost`,
        remedy: "give the field a different name, with an alias in the reader's schema",
      },
    ];
  });
}

/**
 * Names that fail when avsc creates a resolver. If the two schemas are the same, avsc (and kafkajs' client) creates
 * none.
 */
function inResolvers(reader: AvroSchema, writer: AvroSchema, meetings: readonly Meeting[]): readonly RuntimeFound[] {
  const found = meetings.flatMap((meeting) =>
    meeting.reader.kind === "record" && meeting.writer.kind === "record"
      ? inResolver(meeting.reader, meeting.writer, meeting.path)
      : [],
  );
  return found.length === 0 || canonicalForm(reader) === canonicalForm(writer) ? [] : found;
}

/** A resolver has a table of all the writer's fields, in which the reader's fields are looked up. */
function inResolver(reader: AvroRecord, writer: AvroRecord, path: readonly string[]): readonly RuntimeFound[] {
  const own = reader.fields.flatMap(({ name, aliases }) => [name, ...aliases]);
  return [...new Set([...own, ...writer.fields.map(({ name }) => name)])]
    .filter((name) => INHERITED.has(name))
    .map((name) => refused([...path, name], name));
}

function refused(path: readonly string[], name: string): RuntimeFound {
  return {
    path,
    certainty: "always",
    whole: true,
    describe: (at) => `${at}: "${name}" is a name that every JavaScript object already has, which avsc cannot handle`,
    remedy: "give it a different name",
  };
}
