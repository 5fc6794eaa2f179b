import avsc from "avsc";
import type { Json } from "../../src/table/shape.ts";

/** A registry of these schemas by id, as the library gives them; `asked` counts. */
export function registryOf(schemas: Readonly<Record<number, Json>>) {
  const asked: number[] = [];
  return {
    asked,
    async getSchema(id: number): Promise<object> {
      asked.push(id);
      await Promise.resolve();
      const schema = schemas[id];
      if (schema === undefined) throw Object.assign(new Error("schema not found"), { status: 404 });
      return avsc.Type.forSchema(JSON.parse(JSON.stringify(schema)));
    },
  };
}

/** 0, the schema's id, and the value in Avro. */
export function framed(id: number, schema: Json, value: unknown): Buffer {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, bytesOf(schema, value)]);
}

function bytesOf(schema: Json, value: unknown): Buffer {
  const long = avsc.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer: (number: bigint) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(number);
      return bytes;
    },
    fromJSON: BigInt,
    toJSON: Number,
    isValid: (one: unknown) => typeof one === "bigint",
    compare: () => 0,
  });
  const typeHook = (one: avsc.Schema) =>
    one === "long" || (typeof one === "object" && "type" in one && one.type === "long") ? long : undefined;
  return avsc.Type.forSchema(JSON.parse(JSON.stringify(schema)), { typeHook }).toBuffer(value);
}
