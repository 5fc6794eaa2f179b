import { ownValue } from "../../json.ts";
import type { AvroSchema } from "../../avro/schema.ts";
import type { RuntimeFound, RuntimeRule, Sight } from "./rule.ts";
import type { Meeting } from "./walk.ts";

/**
 * Java converts by the reader's logical type, and ignores logical types when it matches schemas. The libraries here do
 * neither: if the two logical types differ, they reject the value or use the writer's.
 */
export const logicalType: RuntimeRule = {
  id: "runtime/logical-type",
  problem: "the reader's logical type differs from the writer's: the library rejects it, or uses the writer's",
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
          effectStated: true,
          describe: (at) =>
            `${at} has ${textOf(written)} in the events and ${textOf(own)} in the reader's schema: ${why}`,
          remedy: "use the writer's logical type in the reader's schema",
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
      // Only the consumer's code shows whether one is registered.
      return {
        severity: "warning",
        certainty: "on-some-data",
        why: "if it is registered in avsc's `logicalTypes`, its `_resolve` must accept what is written, or avsc throws",
      };
    case "fastavro":
    case "python-avro":
      if (written === undefined) return { certainty, why: `${runtime} returns the plain ${writer.kind}` };
      return { certainty, why: `${runtime} uses the writer's` };
    case "avro-rs":
      if (own === "uuid" && written === undefined) {
        return { certainty: "on-some-data", effect: "throws", why: `${runtime} rejects text that is not a UUID` };
      }
      if (written === undefined || isScaled(reader, writer)) return undefined;
      return { certainty, effect: "throws", why: `${runtime} rejects the value` };
    case "ruby-avro":
    case "java":
      return undefined;
    default:
      return runtime satisfies never;
  }
}

/** True if both are decimals. avro-rs compares neither their scale nor their precision. */
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

function textOf(logical: string | undefined): string {
  return logical === undefined ? "no logical type" : `the logical type ${logical}`;
}

/** The type's logical type, if the libraries convert it. */
function logicalOf(schema: AvroSchema): string | undefined {
  if (schema.kind === "union") return undefined;
  const { logicalType: name, scale } = schema.props;
  if (typeof name !== "string" || !(ownValue(BASES, name)?.includes(schema.kind) ?? false)) return undefined;
  return name === "decimal" ? `decimal of scale ${typeof scale === "number" ? scale : 0}` : name;
}
