import type { AvroSchema } from "../../avro/schema.ts";
import type { Runtime, RuntimeFound, RuntimeRule, Sight } from "./rule.ts";

/** Java drops a decimal that is not one, and takes any number of bytes for one that is. */
export const decimal: RuntimeRule = {
  id: "runtime/decimal",
  problem: "a decimal the library refuses: with impossible digits, or in fewer bytes than its precision needs",
  severity: "error",
  runtimes: ["fastavro", "ruby-avro", "avro-rs"],
  effect: "throws",
  inSchema: (runtime, places) =>
    places.flatMap(({ schema, path, again }) => {
      const why = again ? undefined : whyInvalid(runtime, schema);
      return why === undefined ? [] : [invalid(runtime, path, why)];
    }),
  find: (sight) => (sight.runtime === "avro-rs" ? shortOnes(sight) : []),
};

/** apache-avro compares a value's own bytes with the precision: 12.34 has 2 of the 5 that 10 digits may need. */
function shortOnes({ meetings }: Sight): readonly RuntimeFound[] {
  return meetings.flatMap(({ reader, path }) => {
    const digits = reader.kind === "bytes" ? digitsOf(reader)?.precision : undefined;
    if (digits === undefined || digits <= fitting(1)) return [];
    return [
      {
        path,
        certainty: "on-some-data",
        describe: (at) =>
          `${at} is a decimal of ${digits} digits: avro-rs refuses values in fewer bytes than ${digits} digits need`,
        remedy:
          "decode with the writer's schema alone, or read it as bytes in a reader's schema without the logical type",
      },
    ];
  });
}

function whyInvalid(runtime: Runtime, schema: AvroSchema): string | undefined {
  const digits = digitsOf(schema);
  if (digits === undefined) return undefined;
  const { precision = 0, scale } = digits;
  const tooSmall = schema.kind === "fixed" && precision > fitting(schema.size);
  switch (runtime) {
    case "fastavro":
      if (digits.precision !== undefined && scale > precision) return "a scale beyond its precision";
      return tooSmall ? "more digits than its bytes hold" : undefined;
    case "ruby-avro":
      if (precision <= 0) return "no precision";
      return scale > precision ? "a scale beyond its precision" : undefined;
    case "avro-rs":
      return tooSmall ? "more digits than its bytes hold" : undefined;
    case "avsc":
    case "python-avro":
    case "java":
      return undefined;
    default:
      return runtime satisfies never;
  }
}

function invalid(runtime: Runtime, path: readonly string[], why: string): RuntimeFound {
  return {
    path,
    certainty: "always",
    whole: true,
    describe: (at) => `${at} is a decimal with ${why}: ${runtime} refuses the schema`,
    remedy: "correct precision and scale, or take the logical type away",
  };
}

/** Decimal digits that so many bytes hold, signed. */
function fitting(bytes: number): number {
  return Math.floor(Math.log10(2) * (8 * bytes - 1));
}

function digitsOf(schema: AvroSchema): { readonly precision: number | undefined; readonly scale: number } | undefined {
  if ((schema.kind !== "bytes" && schema.kind !== "fixed") || schema.props["logicalType"] !== "decimal")
    return undefined;
  const { precision, scale } = schema.props;
  return {
    precision: typeof precision === "number" ? precision : undefined,
    scale: typeof scale === "number" ? scale : 0,
  };
}
