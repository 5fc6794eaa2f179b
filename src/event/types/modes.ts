/**
 * How values are written: the connector file's keys that affect it (debezium.io, PostgreSQL "Connector properties").
 */
export interface ValueModes {
  /** decimal.handling.mode */
  readonly decimal: "precise" | "double" | "string";
  /** time.precision.mode */
  readonly time: "adaptive" | "adaptive_time_microseconds" | "microseconds" | "nanoseconds" | "connect" | "isostring";
  /** interval.handling.mode */
  readonly interval: "numeric" | "string";
  /** binary.handling.mode */
  readonly binary: "bytes" | "base64" | "base64-url-safe" | "hex";
  /** hstore.handling.mode */
  readonly hstore: "json" | "map";
  /** money.fraction.digits */
  readonly moneyDigits: number;
  /** include.unknown.datatypes */
  readonly unknownTypes: boolean;
  /** field.name.adjustment.mode; `avro` if the file names an Avro converter */
  readonly fieldNames: "none" | "avro" | "avro_unicode";
  /** unavailable.value.placeholder */
  readonly placeholder: string;
}

const BINARY_MODES = ["bytes", "base64", "base64-url-safe", "hex"] as const satisfies readonly ValueModes["binary"][];

/** binary.handling.mode of a text; undefined: it is none. */
export function binaryModeOf(text: string | undefined): ValueModes["binary"] | undefined {
  return BINARY_MODES.find((mode) => mode === text);
}

/** Debezium's defaults, with the Avro converter. */
export const DEFAULT_MODES: ValueModes = {
  decimal: "precise",
  time: "adaptive",
  interval: "numeric",
  binary: "bytes",
  hstore: "json",
  moneyDigits: 2,
  unknownTypes: false,
  fieldNames: "avro",
  placeholder: "__debezium_unavailable_value",
};
