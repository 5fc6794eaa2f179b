import type { AvroSchema } from "../../avro/schema.ts";
import { logicalName } from "./type.ts";

interface Decimal {
  readonly scale: number;
  /** Digits in all; undefined when the schema does not say. */
  readonly precision: number | undefined;
}

/** Bytes that hold an unscaled integer (Avro specification, "Decimal"; Connect's Decimal says the same twice). */
export function decimalOf(type: AvroSchema): Decimal | undefined {
  if (type.kind !== "bytes" && type.kind !== "fixed") return undefined;
  const isDecimal =
    type.props["logicalType"] === "decimal" || logicalName(type) === "org.apache.kafka.connect.data.Decimal";
  if (!isDecimal) return undefined;
  const { scale, precision, "connect.parameters": parameters } = type.props;
  const told = typeof parameters === "object" && parameters !== null && !Array.isArray(parameters) ? parameters : {};
  return {
    scale: numberOf(scale) ?? numberOf("scale" in told ? told["scale"] : undefined) ?? 0,
    precision:
      numberOf(precision) ??
      numberOf("connect.decimal.precision" in told ? told["connect.decimal.precision"] : undefined),
  };
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) ? number : undefined;
}
