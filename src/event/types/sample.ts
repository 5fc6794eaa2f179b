import type { AvroValue } from "../../avro/value.ts";

/** Sample values of one type. */
export interface Samples {
  /** An ordinary value; `row` counts from 1. */
  readonly typical: (row: number) => AvroValue;
  /** Values at the limits of the type. */
  readonly edges: readonly AvroValue[];
}

/** What the samples are for: the field's name, and its column's type as format_type prints it (empty: unknown). */
export interface SampledField {
  readonly name: string;
  readonly columnType: string;
}

/** Samples whose typical value is the same in every row. */
export function fixed(typical: AvroValue, ...edges: readonly AvroValue[]): Samples {
  return { typical: () => typical, edges };
}
