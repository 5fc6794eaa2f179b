import avsc from "avsc";

/** avsc's long as a bigint, exact in 64 bits. */
const long = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

/** avsc's type for a schema text, with every long as a bigint. */
export function avscType(schema: string): avsc.Type {
  return avsc.Type.forSchema(JSON.parse(schema), { typeHook: (one) => (isLong(one) ? long : undefined) });
}

function isLong(schema: avsc.Schema): boolean {
  return schema === "long" || (typeof schema === "object" && "type" in schema && schema.type === "long");
}
