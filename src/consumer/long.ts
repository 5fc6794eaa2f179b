import avsc from "avsc";
import type { Longs } from "../rules/runtime/rule.ts";

/** A long as a bigint, exact in all 64 bits; avsc's own type throws beyond 2^53. */
const bigLong = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

/**
 * A `typeHook` of avsc that decodes every long to a bigint, for consumers that decode with
 * @kafkajs/confluent-schema-registry: `new SchemaRegistry({ host }, { [SchemaType.AVRO]: { typeHook: bigintLongs } })`.
 * Without it, the library cannot decode any Debezium event, because `ts_ns` is beyond 2^53. It works for keys, values and
 * the library's `readerSchema`. avsc's option `registry` is no alternative: it misses longs that are written as objects,
 * such as all of Debezium's longs with a name (mtth/avsc#485), and it fails at the second version of a schema.
 */
export function bigintLongs(schema: avsc.Schema): avsc.Type | undefined {
  const isLong = schema === "long" || (typeof schema === "object" && "type" in schema && schema.type === "long");
  return isLong ? bigLong : undefined;
}

/** Compiles a schema to avsc's type. The options must be new each time, because avsc stores the types in them. */
export function avscType(schema: avsc.Schema, longs: Longs): avsc.Type {
  return avsc.Type.forSchema(schema, longs === "bigint" ? { typeHook: bigintLongs } : {});
}
