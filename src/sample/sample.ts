/** A value as a decoder gives it: a long may be a bigint, bytes and fixed are Buffers, records and maps objects. */
export type Sample = null | boolean | number | bigint | string | Buffer | readonly Sample[] | SampleRecord;
export interface SampleRecord {
  readonly [name: string]: Sample;
}

/** Values of one type: what is usual in the row of this number (from 1), and what is at the type's edges. */
export interface Samples {
  readonly typical: (row: number) => Sample;
  readonly edges: readonly Sample[];
}

/** The same in every row. */
export function fixed(typical: Sample, ...edges: readonly Sample[]): Samples {
  return { typical: () => typical, edges };
}

export function isRecord(value: Sample): value is SampleRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}
