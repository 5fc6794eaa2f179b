import avsc from "avsc";
import { avscType } from "../event/avro.ts";
import type { Json } from "../../src/json.ts";

/** A registry with these schemas by id, in the library's form; `asked` counts the requests. */
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

/** A zero byte, the schema's id, and the value in Avro. */
export function framed(id: number, schema: Json, value: unknown): Buffer {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, avscType(JSON.stringify(schema)).toBuffer(value)]);
}
