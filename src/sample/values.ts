import { ownValue } from "../json.ts";
import type { AvroRecord, AvroSchema, RecordField } from "../avro/schema.ts";
import type { AvroMembers, AvroValue } from "../avro/value.ts";
import { unscaledBytes } from "../avro/bytes.ts";
import { formNamed } from "../event/types/encoder.ts";
import { type FormSamples, fixed, type SampledField, type Samples } from "../event/types/entry.ts";
import { entryNamed } from "../event/types/table.ts";
import { sampleTexts } from "../event/values/text.ts";

/**
 * Sample values of a field. The type table knows what values of a PostgreSQL type look like in events. If it has no
 * samples, they come from the Avro type: a typical value, zero, and the limits.
 */

/** Samples of a type without its null; for a union, those of its first branch that is not null. */
export function samplesOf(schema: AvroSchema, of: SampledField): Samples {
  const form = schema.kind === "union" ? "by-avro-type" : formSamples(schema, of);
  if (typeof form === "object" && "members" in form) return recordSamples(schema, form.members);
  return form === "by-avro-type" ? avroSamples(schema, of) : form;
}

/** The type table's samples, by the column's type if it is known, otherwise by the Avro type's name. */
function formSamples(
  schema: Exclude<AvroSchema, { readonly kind: "union" }>,
  of: SampledField,
): Exclude<FormSamples, (...args: never) => unknown> {
  const { "connect.name": connectName } = schema.props;
  const isNamed = typeof connectName === "string";
  const own = entryNamed(of.columnType)?.forms[isNamed ? connectName : schema.kind];
  const samples = (own ?? (isNamed ? formNamed(connectName) : undefined))?.samples ?? "by-avro-type";
  return typeof samples === "function" ? samples(of, schema.props) : samples;
}

function avroSamples(schema: AvroSchema, of: SampledField): Samples {
  switch (schema.kind) {
    case "null":
      return fixed(null);
    case "boolean":
      return fixed(true, false);
    case "int":
      return schema.props["connect.type"] === "int16" ? integers(15n, Number) : integers(31n, Number);
    case "long":
      return integers(63n, BigInt);
    case "float":
      return fixed(1.5, 0, -1.5, 3.4028234663852886e38);
    case "double":
      return fixed(12.34, 0, -12.34, 1.7976931348623157e308, 5e-324);
    case "bytes":
      return bytesSamples(schema.props);
    case "string":
      return sampleTexts(of);
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
      return recordSamples(schema, {});
    default:
      return schema satisfies never;
  }
}

/** Used for a union that contains only null. */
const NULL: AvroSchema = { kind: "null", props: {} };

export function isNullable(schema: AvroSchema): boolean {
  return schema.kind === "null" || (schema.kind === "union" && schema.branches.some(({ kind }) => kind === "null"));
}

/** A field's value in the row with this number. */
export function typicalOf(field: RecordField, row: number): AvroValue {
  return samplesOf(field.type, { name: field.name, columnType: "" }).typical(row);
}

/** Samples of a two's complement integer with `bits` bits and a sign. */
function integers(bits: bigint, as: (value: bigint) => AvroValue): Samples {
  return { typical: (row) => as(BigInt(row)), edges: [0n, -1n, 2n ** bits - 1n, -(2n ** bits)].map((one) => as(one)) };
}

function bytesSamples({ logicalType, scale, precision }: AvroRecord["props"]): Samples {
  if (logicalType !== "decimal") return fixed(Buffer.from("00ff10", "hex"), Buffer.alloc(0));
  const most = 10n ** BigInt(typeof precision === "number" ? precision : 1) - 1n;
  // 12.34, as far as the precision allows.
  const usual = (1234n * 10n ** BigInt(typeof scale === "number" ? scale : 0)) / 100n;
  const typical = usual > most ? 1n : usual;
  return fixed(unscaledBytes(typical), ...[0n, -typical, most, -most].map(unscaledBytes));
}

function arraySamples(items: AvroSchema, of: SampledField): Samples {
  const inner = samplesOf(items, { ...of, columnType: of.columnType.replace(/\[\]$/, "") });
  const first = inner.typical(1);
  return fixed([first, ...inner.edges.slice(0, 1)], [], isNullable(items) ? [null, first] : [first]);
}

/** A record with these members. If any are given, the other members are null where they may be. */
function recordSamples(schema: AvroSchema, given: AvroMembers): Samples {
  if (schema.kind !== "record") return fixed(given);
  const isPartial = Object.keys(given).length > 0;
  const memberOf = (field: RecordField): AvroValue =>
    ownValue(given, field.name) ?? (isPartial && isNullable(field.type) ? null : typicalOf(field, 1));
  return fixed(Object.fromEntries(schema.fields.map((field) => [field.name, memberOf(field)])));
}
