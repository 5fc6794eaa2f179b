import avsc, { type Schema, type Type } from "avsc";
import { servers } from "./servers.ts";

interface Decoded {
  readonly schemaId: number;
  readonly value: unknown;
}

/** Decodes Confluent's wire format: a zero byte, four bytes with the schema id, and Avro. */
export interface Decoder {
  /** Longs become bigints, bytes Buffers, records plain objects, and unions their bare value; null remains null. */
  decode(bytes: Buffer | null): Promise<unknown>;
  decodeWithId(bytes: Buffer): Promise<Decoded>;
  /** The parsed schema with this id. */
  schema(id: number): Promise<unknown>;
}

const longAsBigint = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (left: bigint, right: bigint) => (left < right ? -1 : left > right ? 1 : 0),
});

function typeHook(schema: Schema | string): Type | undefined {
  const name = typeof schema === "object" && "type" in schema ? schema.type : schema;
  return name === "long" ? longAsBigint : undefined;
}

/** avsc returns instances of generated classes, which toStrictEqual distinguishes from literals. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value) || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, plain(of)]));
}

interface Known {
  readonly schema: unknown;
  readonly type: Type;
}

async function fetchSchema(url: string, id: number): Promise<Known> {
  const response = await fetch(`${url}/schemas/ids/${id}`);
  if (!response.ok) throw new Error(`the registry answered ${response.status} for schema id ${id}`);
  const { schema } = (await response.json()) as { schema: string }; // Confluent's API, "GET /schemas/ids/{id}"
  const parsed = JSON.parse(schema) as Schema; // avsc validates it
  return { schema: parsed, type: avroType(parsed) };
}

/** The schema as avsc's type, with longs as bigints and unions as their bare value. */
export function avroType(schema: Schema): Type {
  return avsc.Type.forSchema(schema, { typeHook, wrapUnions: "never" });
}

export function registryDecoder(url: string = servers.registry.url): Decoder {
  const known = new Map<number, Promise<Known>>();
  function lookUp(id: number): Promise<Known> {
    const asked = known.get(id) ?? fetchSchema(url, id);
    known.set(id, asked);
    // A registry that did not answer once is asked again.
    asked.catch(() => known.delete(id));
    return asked;
  }
  async function decodeWithId(bytes: Buffer): Promise<Decoded> {
    if (bytes.length < 5 || bytes[0] !== 0) throw new Error("not in Confluent's framing: the first byte is not 0");
    const schemaId = bytes.readInt32BE(1);
    const { type } = await lookUp(schemaId);
    return { schemaId, value: plain(type.fromBuffer(bytes.subarray(5))) };
  }
  return {
    decode: async (bytes) => (bytes === null ? null : (await decodeWithId(bytes)).value),
    decodeWithId,
    schema: async (id) => (await lookUp(id)).schema,
  };
}
