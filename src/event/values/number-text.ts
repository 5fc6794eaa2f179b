/** Converts between numbers and the texts that PostgreSQL prints for them. */

/**
 * The unscaled integer of a numeric text at `scale`, which may be negative. Undefined if digits would be lost, or if the
 * text is NaN or infinite.
 */
export function unscaled(text: string, scale: number): bigint | undefined {
  const match = /^(-?\d+)(?:\.(\d*))?$/.exec(text);
  if (match?.[1] === undefined) return undefined;
  const fraction = (match[2] ?? "").replace(/0+$/, "");
  if (fraction.length > Math.max(scale, 0)) return undefined;
  const value = BigInt(`${match[1]}${fraction.padEnd(Math.max(scale, 0), "0")}`);
  const unit = 10n ** BigInt(Math.max(-scale, 0));
  return value % unit === 0n ? value / unit : undefined;
}

/** `-12.30` for -1230 at scale 2; a negative scale appends zeros. */
export function decimalText(value: bigint, scale: number): string {
  if (scale <= 0) return String(value * 10n ** BigInt(-scale));
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${value < 0n ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/**
 * A numeric text with exactly the digits of numeric(p,s); undefined if digits would be lost or if there are too many.
 */
export function fitDecimal(text: string, precision: number, scale: number): string | undefined {
  const value = unscaled(text, scale);
  if (value === undefined || value >= 10n ** BigInt(precision) || value <= -(10n ** BigInt(precision)))
    return undefined;
  return decimalText(value, scale);
}

/** The Number with the fewest digits that is the same float; Java's Float.toString prints it. */
export function shortestFloat(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
