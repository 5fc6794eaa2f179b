import type { AvroSchema } from "../../avro/schema.ts";
import type { RuntimeFound, RuntimeRule, Sight } from "./rule.ts";
import type { Meeting } from "./walk.ts";

/** Java goes by the reader's logical type, and ignores it where the bytes are concerned. */
export const logicalType: RuntimeRule = {
  id: "runtime/logical-type",
  problem: "the reader's logical type is not the writer's: refused, or the writer's is taken",
  severity: "error",
  runtimes: ["avsc", "fastavro", "python-avro", "avro-rs"],
  find: (sight) =>
    sight.meetings.flatMap((meeting) => {
      const { reader, writer, path } = meeting;
      const [own, written] = [logicalOf(reader), logicalOf(writer)];
      const found = own === written ? undefined : effectOf(sight, meeting, own, written);
      if (found === undefined) return [];
      const { why, ...effect } = found;
      return [
        {
          path,
          ...effect,
          describe: (at) =>
            `${at} is ${written ?? "no logical type"} in the events and ${own ?? "none"} in the reader's schema: ${why}`,
          remedy: "give it the writer's logical type in the reader's schema",
        },
      ];
    }),
};

interface Effect extends Pick<RuntimeFound, "certainty" | "effect" | "severity"> {
  readonly why: string;
}

function effectOf(
  { runtime }: Sight,
  { certainty, reader, writer }: Meeting,
  own: string | undefined,
  written: string | undefined,
): Effect | undefined {
  switch (runtime) {
    case "avsc":
      if (own === undefined) return undefined;
      // Whether one is registered is in the consumer's code alone.
      return {
        severity: "warning",
        certainty: "on-some-data",
        why: "where avsc's `logicalTypes` has it, its `_resolve` has to take that, else avsc throws",
      };
    case "fastavro":
    case "python-avro":
      if (written === undefined) return { certainty, why: `${runtime} gives the plain ${writer.kind}` };
      return { certainty, why: `${runtime} reads it by the writer's` };
    case "avro-rs":
      if (own === "uuid" && written === undefined) {
        return { certainty: "on-some-data", effect: "throws", why: `${runtime} refuses a text that is no UUID` };
      }
      if (written === undefined || isScaled(reader, writer)) return undefined;
      return { certainty, effect: "throws", why: `${runtime} refuses the value` };
    case "ruby-avro":
    case "java":
      return undefined;
    default:
      return runtime satisfies never;
  }
}

/** Two decimals; avro-rs compares neither scale nor precision of them. */
function isScaled(reader: AvroSchema, writer: AvroSchema): boolean {
  return [reader, writer].every((schema) => logicalOf(schema)?.startsWith("decimal") ?? false);
}

const BASES: Readonly<Record<string, readonly string[]>> = {
  decimal: ["bytes", "fixed"],
  date: ["int"],
  "time-millis": ["int"],
  "time-micros": ["long"],
  "timestamp-millis": ["long"],
  "timestamp-micros": ["long"],
  uuid: ["string"],
};

/** Those that the libraries convert. */
function logicalOf(schema: AvroSchema): string | undefined {
  if (schema.kind === "union") return undefined;
  const { logicalType: name, scale } = schema.props;
  if (typeof name !== "string" || !(BASES[name]?.includes(schema.kind) ?? false)) return undefined;
  return name === "decimal" ? `decimal of scale ${typeof scale === "number" ? scale : 0}` : name;
}
