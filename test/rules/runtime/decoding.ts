import { Buffer } from "node:buffer";
import avsc from "avsc";
import type { Json } from "../../../src/json.ts";

/** Decodes bytes with avsc, called as kafkajs' registry client calls it: a value, or the error that it throws. */
export interface Reading {
  readonly value?: unknown;
  readonly throws?: string;
}

export interface Options {
  /** undefined to decode with the writer's schema. */
  readonly reader?: Json | undefined;
  readonly writer: Json;
  readonly logicalTypes?: Record<string, new () => avsc.types.LogicalType>;
}

export function decoded({ reader, writer, logicalTypes }: Options, bytes: Buffer): Reading {
  try {
    const [written, own] = [writer, reader ?? writer].map(
      // as in the client, each pair has its own registry of resolvers; JSON is what avsc parses
      (schema) => avsc.Type.forSchema(schema as unknown as avsc.Schema, { ...(logicalTypes && { logicalTypes }) }),
    );
    if (written === undefined || own === undefined) throw new Error("unreachable");
    const value: unknown = own.equals(written)
      ? own.fromBuffer(bytes)
      : own.fromBuffer(bytes, own.createResolver(written));
    return { value: plain(value) };
  } catch (error) {
    return { throws: error instanceof Error ? error.message : String(error) };
  }
}

/** The value in the form of Datum: bytes as an object, and the value of a wrapped union without its branch's name. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return { bytes: value.toString("hex") };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  // from the prototype, since a field of the value may have that name
  const made: unknown = Object.getPrototypeOf(value);
  if (typeof made === "object" && made?.constructor.name === "Branch$") return plain(entries[0]?.[1]);
  return Object.fromEntries(entries.map(([key, one]) => [key, plain(one)]));
}
