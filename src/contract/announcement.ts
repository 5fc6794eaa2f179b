/**
 * What a consumer tells its group's coordinator about the schemas it reads with: JSON in the user data of the
 * consumer protocol's subscription, which whoever describes the group sees
 * (https://kafka.apache.org/protocol.html, ConsumerProtocolSubscription).
 */
import { schemaHash } from "../avro/hash.ts";
import { type Json, isObject } from "../json.ts";

/** By topic, the fingerprint of the reader's own schema. */
export type Announcement = ReadonlyMap<string, string>;

/**
 * Identity of a reader's schema: sha256, hex, over its JSON with keys sorted. Not Avro's fingerprint: that leaves out
 * defaults and aliases, which are what a reader reads old and new events with.
 */
export function readerFingerprint(schema: Json): string {
  return schemaHash(schema);
}

export function encodeAnnouncement(readers: Announcement): Buffer {
  return Buffer.from(JSON.stringify({ fieldgate: 1, readers: Object.fromEntries(readers) }), "utf8");
}

/** undefined: the user data is of some other client, or empty. */
export function decodeAnnouncement(userData: Buffer): Announcement | undefined {
  let json: Json;
  try {
    json = JSON.parse(userData.toString("utf8")) as Json; // JSON.parse gives JSON
  } catch {
    return undefined;
  }
  // Without zod: every consumer's process loads this file.
  const readers = isObject(json) && json["fieldgate"] === 1 ? json["readers"] : undefined;
  if (!isObject(readers)) return undefined;
  const said = Object.entries(readers).flatMap(([topic, of]) => (typeof of === "string" ? [[topic, of] as const] : []));
  return said.length === Object.keys(readers).length ? new Map(said) : undefined;
}
