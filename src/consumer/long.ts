import avsc from "avsc";

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

/** What a long is decoded to: `bigint`, or `number`, which throws beyond 2^53. */
export type Longs = "bigint" | "number";

/**
 * Compiles a schema to avsc's type. Uses a hook instead of avsc's option `registry`, which misses longs that are
 * written as objects, such as all of Debezium's longs with a name (mtth/avsc#485). The options must be new each time,
 * because avsc stores the types in them.
 */
export function avscType(schema: avsc.Schema, longs: Longs): avsc.Type {
  return avsc.Type.forSchema(schema, longs === "bigint" ? { typeHook: bigLongOf } : {});
}

function bigLongOf(schema: avsc.Schema): avsc.Type | undefined {
  const isLong = schema === "long" || (typeof schema === "object" && "type" in schema && schema.type === "long");
  return isLong ? bigLong : undefined;
}
