/**
 * What a consumer announces to its group's coordinator about its reader schemas: JSON in the user data of the
 * subscription (https://kafka.apache.org/protocol.html, ConsumerProtocolSubscription), which anyone who describes the
 * group can read.
 */
import { schemaHash } from "../avro/hash.ts";
import { type Json, isObject } from "../json.ts";

/** Fingerprints of the reader's own schemas, by topic. */
export type Announcement = ReadonlyMap<string, string>;

/**
 * Identifies a reader's schema: the sha256, in hex, of its JSON with sorted keys. Avro's own fingerprint cannot be
 * used, because it ignores defaults and aliases, which matter when a reader reads old and new events.
 */
export function readerFingerprint(schema: Json): string {
  return schemaHash(schema);
}

export function encodeAnnouncement(readers: Announcement): Buffer {
  return Buffer.from(JSON.stringify({ fieldgate: 1, readers: Object.fromEntries(readers) }), "utf8");
}

/** Undefined if the user data is empty or belongs to a different client. */
export function decodeAnnouncement(userData: Buffer): Announcement | undefined {
  let json: Json;
  try {
    json = JSON.parse(userData.toString("utf8")) as Json; // JSON.parse gives JSON
  } catch {
    return undefined;
  }
  // Not with zod, because every consumer's process loads this file.
  const readers = isObject(json) && json["fieldgate"] === 1 ? json["readers"] : undefined;
  if (!isObject(readers)) return undefined;
  const announced = Object.entries(readers).flatMap(([topic, fingerprint]) =>
    typeof fingerprint === "string" ? [[topic, fingerprint] as const] : [],
  );
  return announced.length === Object.keys(readers).length ? new Map(announced) : undefined;
}
