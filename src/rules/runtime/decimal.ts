import type { AvroSchema } from "../../avro/schema.ts";
import type { Runtime, RuntimeFound, RuntimeRule, Sight } from "./rule.ts";

/**
 * Java ignores an invalid decimal, and accepts any number of bytes for a valid one. The libraries here reject a schema
 * with an invalid decimal, each by its own checks. avro-rs also rejects values that are shorter than the precision
 * allows.
 */
export const decimal: RuntimeRule = {
  id: "runtime/decimal",
  problem:
    "a decimal that the library rejects: its digits are impossible, or it has fewer bytes than its precision needs",
  severity: "error",
  runtimes: ["fastavro", "ruby-avro", "avro-rs"],
  effect: "throws",
  inSchema: (runtime, places) =>
    places.flatMap(({ schema, path, again }) => {
      const why = again ? undefined : whyInvalid(runtime, schema);
      return why === undefined ? [] : [invalid(runtime, path, why)];
    }),
  find: (sight) => (sight.runtime === "avro-rs" ? shortValues(sight) : []),
};

/** avro-rs compares the length of a value with the precision: 12.34 takes 2 bytes, but 10 digits may need 5. */
function shortValues({ meetings }: Sight): readonly RuntimeFound[] {
  return meetings.flatMap(({ reader, path }) => {
    const digits = reader.kind === "bytes" ? digitsOf(reader)?.precision : undefined;
    if (digits === undefined || digits <= digitsIn(1)) return [];
    return [
      {
        path,
        certainty: "on-some-data",
        effectStated: true,
        describe: (at) =>
          `${at} is a decimal of ${digits} digits: avro-rs rejects values that have fewer bytes than ${digits} digits need`,
        remedy:
          "decode with the writer's schema only, or read plain bytes: leave the logical type out of the reader's schema",
      },
    ];
  });
}

function whyInvalid(runtime: Runtime, schema: AvroSchema): string | undefined {
  const digits = digitsOf(schema);
  if (digits === undefined) return undefined;
  const { precision = 0, scale } = digits;
  const tooSmall = schema.kind === "fixed" && precision > digitsIn(schema.size);
  switch (runtime) {
    case "fastavro":
      if (digits.precision !== undefined && scale > precision) return "a scale larger than its precision";
      return tooSmall ? "more digits than its bytes can hold" : undefined;
    case "ruby-avro":
      if (precision <= 0) return "no precision";
      return scale > precision ? "a scale larger than its precision" : undefined;
    case "avro-rs":
      return tooSmall ? "more digits than its bytes can hold" : undefined;
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
    effectStated: true,
    describe: (at) => `${at} is a decimal with ${why}: ${runtime} rejects the schema`,
    remedy: "correct its precision and scale, or remove the logical type",
  };
}

/** How many decimal digits a signed number of this many bytes can hold. */
function digitsIn(bytes: number): number {
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
