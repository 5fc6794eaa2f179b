import fc from "fast-check";

/** One value, as PostgreSQL prints it and as avsc takes it. */
export interface Both {
  readonly text: string;
  readonly value: unknown;
}

export const both = (text: string, value: unknown): Both => ({ text, value });

/** Texts with their values, made without Fieldgate's code. */
export const int = (min: number, max: number): fc.Arbitrary<Both> =>
  fc.integer({ min, max }).map((n) => both(String(n), n));

export const long: fc.Arbitrary<Both> = fc
  .oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -(2n ** 55n), max: 2n ** 55n }))
  .map((n) => both(String(n), n));

/** PostgreSQL prints exponents with two digits. */
export function floatText(value: number, print: string): string {
  if (Object.is(value, -0)) return "-0";
  return print.replace(/e([+-])(\d)$/, "e$10$2");
}

export const float: fc.Arbitrary<Both> = fc.float().map((value) => {
  for (let digits = 1; digits < 9; digits++) {
    const print = value.toPrecision(digits);
    if (Math.fround(Number(print)) === value) return both(floatText(value, print), value);
  }
  return both(floatText(value, Number.isFinite(value) ? value.toPrecision(9) : String(value)), value);
});

export const double: fc.Arbitrary<Both> = fc.double().map((value) => both(floatText(value, String(value)), value));

/** Big-endian two's complement, in the fewest bytes. */
export function unscaledBytes(value: bigint): Buffer {
  let size = 1;
  while (BigInt.asIntN(size * 8, value) !== value) size++;
  const bytes = Buffer.alloc(size);
  for (let i = size - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

export function decimalText(value: bigint, scale: number): string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${value < 0n ? "-" : ""}${digits.slice(0, point)}${scale > 0 ? "." : ""}${digits.slice(point)}`;
}

export function decimal(precision: number, scale: number): fc.Arbitrary<Both> {
  const most = 10n ** BigInt(precision) - 1n;
  const small = most < 100_000n ? most : 100_000n;
  return fc
    .oneof(fc.bigInt({ min: -most, max: most }), fc.bigInt({ min: -small, max: small }))
    .map((value) => both(decimalText(value, scale), unscaledBytes(value)));
}

export const variableScale: fc.Arbitrary<Both> = fc
  .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: 0, max: 12 }))
  .map(([unscaled, digits]) => {
    let [value, scale] = [unscaled, digits];
    for (; scale > 0 && value % 10n === 0n; scale--) value /= 10n;
    return both(decimalText(unscaled, digits), { scale, value: unscaledBytes(value) });
  });

export const string: fc.Arbitrary<Both> = fc
  .string({ unit: "binary", maxLength: 40 })
  .filter((text) => !text.includes("\0") && text.isWellFormed())
  .map((text) => both(text, text));

export const uuid: fc.Arbitrary<Both> = fc.uuid().map((text) => both(text, text));
export const json: fc.Arbitrary<Both> = fc.integer().map((n) => both(`{"n": ${n}, "ž": []}`, `{"n": ${n}, "ž": []}`));
export const bytes: fc.Arbitrary<Both> = fc
  .uint8Array({ maxLength: 40 })
  .map((array) => both(`\\x${Buffer.from(array).toString("hex")}`, Buffer.from(array)));

const pad = (value: number, width = 2): string => String(value).padStart(width, "0");

/** Date and clock of a moment, by JavaScript's own calendar. */
export function parts(ms: number): { date: string; clock: string; bc: string; iso: string } {
  const at = new Date(ms);
  const year = at.getUTCFullYear();
  const monthDay = `${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())}`;
  const isoYear = `${year < 0 ? "-" : year > 9999 ? "+" : ""}${pad(Math.abs(year), 4)}`;
  return {
    date: `${pad(year > 0 ? year : 1 - year, 4)}-${monthDay}`,
    clock: `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`,
    bc: year > 0 ? "" : " BC",
    iso: `${isoYear}-${monthDay}`,
  };
}

/** A fraction as PostgreSQL prints it, without trailing zeros. */
function fraction(micros: number): string {
  return micros === 0 ? "" : `.${pad(micros, 6).replace(/0+$/, "")}`;
}

/** From 4714 BC to 275760, most of them near today. */
const seconds = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 4_000_000_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -210_866_803_200, max: 8_640_000_000_000 }) },
);

export const date: fc.Arbitrary<Both> = seconds.map((at) => {
  const days = Math.floor(at / 86_400);
  const { date: text, bc } = parts(days * 86_400_000);
  return both(text + bc, days);
});

/** Microseconds with at most this many digits of fraction. */
export function microsOf(digits: number): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: 10 ** digits - 1 }).map((value) => value * 10 ** (6 - digits));
}

/** A time of day: its text, microseconds, and java.time's text. */
interface Clock {
  readonly text: string;
  readonly micros: number;
  readonly iso: string;
}

function clocks(digits: number): fc.Arbitrary<Clock> {
  return fc.tuple(fc.integer({ min: 0, max: 86_399 }), microsOf(digits)).map(([second, micros]) => {
    const text = parts(second * 1000).clock + fraction(micros);
    return { text, micros: second * 1_000_000 + micros, iso: `${text}Z` };
  });
}

export function timeAs(digits: number, write: (clock: Clock) => unknown): fc.Arbitrary<Both> {
  return clocks(digits).map((clock) => both(clock.text, write(clock)));
}

export function time(digits: number, unit: number): fc.Arbitrary<Both> {
  return timeAs(digits, ({ micros }) => (unit === 1 ? BigInt(micros) : micros / unit));
}

interface Moment {
  readonly text: string;
  readonly micros: bigint;
  readonly iso: string;
}

export function timestampAs(digits: number, write: (moment: Moment) => unknown, from = seconds): fc.Arbitrary<Both> {
  return fc.tuple(from, microsOf(digits)).map(([second, micros]) => {
    const { date: day, clock, bc, iso } = parts(second * 1000);
    const text = `${day} ${clock}${fraction(micros)}${bc}`;
    const moment = {
      text,
      micros: BigInt(second) * 1_000_000n + BigInt(micros),
      iso: `${iso}T${clock}${fraction(micros)}Z`,
    };
    return both(text, write(moment));
  });
}

export function timestamp(digits: number, unit: bigint): fc.Arbitrary<Both> {
  return timestampAs(digits, ({ micros }) => micros / unit);
}

export const isoDate: fc.Arbitrary<Both> = seconds.map((at) => {
  const { date: text, bc, iso } = parts(Math.floor(at / 86_400) * 86_400_000);
  return both(text + bc, `${iso}Z`);
});

/** The range of nanoseconds in a long: 1677 to 2262. */
export const nanoSeconds = fc.integer({ min: -9_223_372_036, max: 9_223_372_036 - 1 });

export function timestamptz(digits: number): fc.Arbitrary<Both> {
  return fc.tuple(seconds, microsOf(digits)).map(([second, micros]) => {
    const { date: day, clock, bc, iso } = parts(second * 1000);
    const shown = digits === 0 ? "" : `.${pad(micros, 6).slice(0, digits)}`;
    return both(`${day} ${clock}${fraction(micros)}+00${bc}`, `${iso}T${clock}${shown}Z`);
  });
}

export const bool: fc.Arbitrary<Both> = fc.boolean().map((value) => both(value ? "t" : "f", value));
export const oid: fc.Arbitrary<Both> = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((n) => both(String(n), BigInt(n)));

/** Bytes as bytea prints them; `write` gives their value. */
export function bytesAs(write: (bytes: Buffer) => unknown): fc.Arbitrary<Both> {
  return fc.uint8Array({ maxLength: 40 }).map((array) => {
    const buffer = Buffer.from(array);
    return both(`\\x${buffer.toString("hex")}`, write(buffer));
  });
}
