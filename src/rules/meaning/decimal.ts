import type { AvroSchema } from "../../avro/schema.ts";
import { logicalName } from "./type.ts";

interface Decimal {
  readonly scale: number;
  /** The total number of digits; undefined if the schema does not say. */
  readonly precision: number | undefined;
}

/**
 * A decimal is bytes that contain an unscaled integer: Avro's "Decimal", or Connect's Decimal, which writes the scale
 * twice.
 */
export function decimalOf(type: AvroSchema): Decimal | undefined {
  if (type.kind !== "bytes" && type.kind !== "fixed") return undefined;
  const isDecimal =
    type.props["logicalType"] === "decimal" || logicalName(type) === "org.apache.kafka.connect.data.Decimal";
  if (!isDecimal) return undefined;
  const { scale, precision, "connect.parameters": parameters } = type.props;
  const connect = typeof parameters === "object" && parameters !== null && !Array.isArray(parameters) ? parameters : {};
  return {
    scale: numberOf(scale) ?? numberOf("scale" in connect ? connect["scale"] : undefined) ?? 0,
    precision:
      numberOf(precision) ??
      numberOf("connect.decimal.precision" in connect ? connect["connect.decimal.precision"] : undefined),
  };
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) ? number : undefined;
}
