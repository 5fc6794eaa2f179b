import type { AvroRecord, AvroSchema, RecordField } from "../avro/schema.ts";
import { namedSamples, nameOf } from "./named.ts";
import { fixed, type Sample, type Samples } from "./sample.ts";
import { textSamples } from "./text.ts";

/** What is sampled: the field's name, and its column's type as format_type prints it (empty: not known). */
export interface Sampled {
  readonly name: string;
  readonly columnType: string;
}

/** Samples of a type without its null; of a union, of its first branch that is not null. */
export function samplesOf(schema: AvroSchema, of: Sampled): Samples {
  const named = namedSamples(schema);
  if (named !== undefined) return named;
  switch (schema.kind) {
    case "null":
      return fixed(null);
    case "boolean":
      return fixed(true, false);
    case "int":
      return schema.props["connect.type"] === "int16" ? integers(15n, Number) : integers(31n, Number);
    case "long":
      return of.columnType === "oid" ? fixed(1n, 0n, 2n ** 32n - 1n) : integers(63n, BigInt);
    case "float":
      return fixed(1.5, 0, -1.5, 3.4028234663852886e38);
    case "double":
      return fixed(12.34, 0, -12.34, 1.7976931348623157e308, 5e-324);
    case "bytes":
      return bytesSamples(schema.props);
    case "string":
      return textSamples(of.name, of.columnType);
    case "fixed":
      return fixed(Buffer.alloc(schema.size, 1), Buffer.alloc(schema.size), Buffer.alloc(schema.size, 0xff));
    case "enum":
      return fixed(schema.symbols[0] ?? "", ...schema.symbols.slice(1));
    case "array":
      return arraySamples(schema.items, of);
    case "map": {
      const value = samplesOf(schema.values, of).typical(1);
      return fixed({ key: value }, {}, isNullable(schema.values) ? { key: value, none: null } : { "žena 😀": value });
    }
    case "union":
      return samplesOf(schema.branches.find(({ kind }) => kind !== "null") ?? NULL, of);
    case "record":
      return recordSamples(schema);
    default:
      return schema satisfies never;
  }
}

/** Of a union of nothing else. */
const NULL: AvroSchema = { kind: "null", props: {} };

export function isNullable(schema: AvroSchema): boolean {
  return schema.kind === "null" || (schema.kind === "union" && schema.branches.some(({ kind }) => kind === "null"));
}

/** A field's value in the row of this number. */
export function typicalOf(field: RecordField, row: number): Sample {
  return samplesOf(field.type, { name: field.name, columnType: "" }).typical(row);
}

/** Two's complement of `bits` bits and a sign. */
function integers(bits: bigint, as: (value: bigint) => Sample): Samples {
  return { typical: (row) => as(BigInt(row)), edges: [0n, -1n, 2n ** bits - 1n, -(2n ** bits)].map((one) => as(one)) };
}

function bytesSamples({ logicalType, scale, precision }: AvroRecord["props"]): Samples {
  if (logicalType !== "decimal") return fixed(Buffer.from("00ff10", "hex"), Buffer.alloc(0));
  const most = 10n ** BigInt(typeof precision === "number" ? precision : 1) - 1n;
  // 12.34, in as many digits as there are.
  const usual = (1234n * 10n ** BigInt(typeof scale === "number" ? scale : 0)) / 100n;
  const typical = usual > most ? 1n : usual;
  return fixed(unscaled(typical), ...[0n, -typical, most, -most].map(unscaled));
}

/** As java.math.BigInteger.toByteArray: the fewest bytes of two's complement, big endian. */
function unscaled(value: bigint): Buffer {
  let size = 1;
  while (BigInt.asIntN(size * 8, value) !== value) size++;
  return Buffer.from(
    BigInt.asUintN(size * 8, value)
      .toString(16)
      .padStart(size * 2, "0"),
    "hex",
  );
}

function arraySamples(items: AvroSchema, of: Sampled): Samples {
  const inner = samplesOf(items, { ...of, columnType: of.columnType.replace(/\[\]$/, "") });
  const first = inner.typical(1);
  return fixed([first, ...inner.edges.slice(0, 1)], [], isNullable(items) ? [null, first] : [first]);
}

const SPACE = "io.debezium.data.geometry.";
/** POINT(1 2) in well-known binary, little endian. */
const POINT = Buffer.from("0101000000000000000000f03f0000000000000040", "hex");

function recordSamples(record: AvroRecord): Samples {
  const name = nameOf(record) ?? "";
  if (name === "io.debezium.data.VariableScaleDecimal") return variableScale();
  if (name === "io.debezium.data.SparseDoubleVector") {
    return fixed({ dimensions: 3, vector: [{ key: 1, value: 0.5 }] }, { dimensions: 3, vector: [] });
  }
  const value = (field: RecordField): Sample => {
    if (name.startsWith(SPACE) && field.name === "wkb") return POINT;
    if (name.startsWith(SPACE) && isNullable(field.type)) return null;
    return samplesOf(field.type, { name: field.name, columnType: "" }).typical(1);
  };
  return fixed(Object.fromEntries(record.fields.map((field) => [field.name, value(field)])));
}

/** Each as its scale and its digits. */
const VARIABLE_SCALE = [
  [2, 1234n],
  [0, 0n],
  [2, -1234n],
  [20, 10n ** 30n],
  [0, 10n ** 40n],
] as const;

function variableScale(): Samples {
  const [first = null, ...others] = VARIABLE_SCALE.map(([scale, value]) => ({ scale, value: unscaled(value) }));
  return fixed(first, ...others);
}
