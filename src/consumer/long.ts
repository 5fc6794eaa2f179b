import avsc from "avsc";

/** A long as bigint: exact over 64 bits, where avsc's own throws beyond 2^53. */
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

/** How a long comes out: `bigint`, or `number`, which throws beyond 2^53. */
export type Longs = "bigint" | "number";

/**
 * avsc's type of a schema as JSON. A hook and not avsc's option `registry`, which misses longs that are objects, as all
 * of Debezium's with a name are (mtth/avsc#485). Options are new each time: avsc keeps the types it saw in them.
 */
export function avscType(schema: avsc.Schema, longs: Longs): avsc.Type {
  return avsc.Type.forSchema(schema, longs === "bigint" ? { typeHook: bigLongOf } : {});
}

function bigLongOf(schema: avsc.Schema): avsc.Type | undefined {
  const isLong = schema === "long" || (typeof schema === "object" && "type" in schema && schema.type === "long");
  return isLong ? bigLong : undefined;
}
