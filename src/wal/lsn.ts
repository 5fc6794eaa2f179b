/** A byte position in PostgreSQL's log, 64 bits. It is branded so that it is never mixed up with other numbers. */
export type Lsn = bigint & { readonly __brand: "Lsn" };

export function lsn(value: bigint): Lsn {
  return value as Lsn; // the brand's constructor
}

export const LSN_ZERO: Lsn = lsn(0n);

const TEXT = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/** Parses PostgreSQL's form, `16/B374D848`, with or without leading zeros. Returns undefined for anything else. */
export function parseLsn(text: string): Lsn | undefined {
  const match = TEXT.exec(text);
  if (match === null) return undefined;
  return lsn((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`));
}

/** Formats it as PostgreSQL does, `16/B374D848`. */
export function formatLsn(value: Lsn): string {
  return `${(value >> 32n).toString(16).toUpperCase()}/${(value & 0xffffffffn).toString(16).toUpperCase()}`;
}

/** Formats microseconds since the Unix epoch as ISO 8601 in UTC, to the millisecond. */
export function isoTime(micros: bigint): string {
  // oxlint-disable-next-line no-restricted-globals -- formats a given time; reads no clock
  return new Date(Number(micros / 1000n)).toISOString();
}
