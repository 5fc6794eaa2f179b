/** A clock's microseconds since the Unix epoch as ISO 8601 in UTC, to the millisecond. */
export function isoTime(micros: bigint): string {
  return new Date(Number(micros / 1000n)).toISOString();
}
