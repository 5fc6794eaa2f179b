import type { ColumnType } from "../../table/column.ts";

/** The type with all domains removed. It has the innermost domain's modifier. */
export function baseOf(type: ColumnType): ColumnType {
  return type.detail?.kind === "domain" ? baseOf(type.detail.of) : type;
}

/** An array's element type; undefined if the type is not an array. */
export function elementOf(type: ColumnType): ColumnType | undefined {
  const { detail } = baseOf(type);
  return detail?.kind === "array" ? detail.of : undefined;
}

/** The precision and scale of numeric(p,s); undefined for plain numeric. The scale is a signed number of 11 bits. */
export function numericOf(type: ColumnType): { readonly precision: number; readonly scale: number } | undefined {
  const { typmod } = baseOf(type);
  if (typmod < 4) return undefined;
  const scale = (typmod - 4) & 0x7ff;
  return { precision: ((typmod - 4) >> 16) & 0xffff, scale: scale > 1023 ? scale - 2048 : scale };
}

/** The modifier of numeric(p,s), the inverse of numericOf. */
export function numericTypmod(precision: number, scale: number): number {
  return ((precision << 16) | (scale & 0x7ff)) + 4;
}
