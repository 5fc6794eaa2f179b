import avsc from "avsc";
import { avscType } from "../event/avro.ts";
import type { Json } from "../../src/json.ts";

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
  return Buffer.concat([head, avscType(JSON.stringify(schema)).toBuffer(value)]);
}
