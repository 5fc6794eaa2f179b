import type { AvroField, Field, Json } from "../table/shape.ts";

export type ReadEnvelope =
  | { readonly kind: "envelope"; readonly fields: readonly AvroField[] }
  | { readonly kind: "no-envelope"; readonly why: string };

export function envelopeSchema(_topic: string, _fields: readonly Field[]): Json {
  throw new Error("not yet");
}

export function keySchema(_topic: string, _fields: readonly Field[]): Json | undefined {
  throw new Error("not yet");
}

export function readEnvelope(_schema: Json): ReadEnvelope {
  throw new Error("not yet");
}
