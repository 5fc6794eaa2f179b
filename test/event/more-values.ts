import fc from "fast-check";
import { both, double, floatText, microsOf, parts, string, unscaledBytes, type Both } from "./values.ts";

/** Texts and values of types other than numbers, strings and times, made without Fieldgate's code. */

const plain = (value: number): string => floatText(value, String(value));

/** A text that is its own value. */
export const texts = (...list: readonly string[]): fc.Arbitrary<Both> =>
  fc.constantFrom(...list).map((text) => both(text, text));

export const label = texts("low", "so so", "it's", "žena");

/** `-$1,234.11`; `value` gives the expected value from the cents. */
export function money(value: (cents: bigint, text: string) => unknown): fc.Arbitrary<Both> {
  return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((cents) => {
    const size = String(cents < 0n ? -cents : cents).padStart(3, "0");
    const whole = size.slice(0, -2);
    const groups = whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
    const sign = cents < 0n ? "-" : "";
    return both(`${sign}$${groups}.${size.slice(-2)}`, value(cents, `${sign}${whole}.${size.slice(-2)}`));
  });
}

/** Rounded to tenths, halves away from zero. */
export function tenths(cents: bigint): Buffer {
  const size = cents < 0n ? -cents : cents;
  const rounded = size / 10n + (size % 10n >= 5n ? 1n : 0n);
  return unscaledBytes(cents < 0n ? -rounded : rounded);
}

export function bits(min: number, max: number): fc.Arbitrary<Both> {
  return fc.array(fc.constantFrom("0", "1"), { minLength: min, maxLength: max }).map((digits) => {
    const bytes: number[] = [];
    for (let rest = BigInt(`0b0${digits.join("")}`); rest > 0n; rest >>= 8n) bytes.push(Number(rest & 255n));
    return both(digits.join(""), Buffer.from(bytes));
  });
}

export const bit: fc.Arbitrary<Both> = fc.boolean().map((value) => both(value ? "1" : "0", value));

/** Times with offsets in hours and minutes; the value is in UTC. */
export const timetz: fc.Arbitrary<Both> = fc
  .tuple(fc.integer({ min: 0, max: 86_399 }), microsOf(6), fc.integer({ min: -959, max: 959 }))
  .map(([second, micros, minutes]) => {
    const fraction = micros === 0 ? "" : `.${String(micros).padStart(6, "0").replace(/0+$/, "")}`;
    const [h, m] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
    const zone = `${minutes < 0 ? "-" : "+"}${String(h).padStart(2, "0")}${m === 0 ? "" : `:${String(m).padStart(2, "0")}`}`;
    const utc = parts(((((second - minutes * 60) % 86_400) + 86_400) % 86_400) * 1000).clock;
    return both(`${parts(second * 1000).clock}${fraction}${zone}`, `${utc}${fraction}Z`);
  });

const DAY = 86_400_000_000n;
/** 365.25 / 12 days. */
const MONTH = 2_629_800_000_000n;

interface Span {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  /** Microseconds of the clock: multiples of 1/64 second, which are exact in a double. */
  readonly micros: number;
}

const span: fc.Arbitrary<Span> = fc.record({
  years: fc.integer({ min: -50, max: 50 }),
  months: fc.integer({ min: -11, max: 11 }),
  days: fc.integer({ min: -400, max: 400 }),
  micros: fc.integer({ min: -10_000_000, max: 10_000_000 }).map((n) => n * 15_625),
});

function spanText({ years, months, days, micros }: Span): string {
  const size = Math.abs(micros);
  const clock = [3_600_000_000, 60_000_000, 1_000_000].map((unit, i) => {
    const whole = Math.floor(size / unit);
    return String(i === 0 ? whole : whole % 60).padStart(2, "0");
  });
  const fraction =
    size % 1_000_000 === 0
      ? ""
      : `.${String(size % 1_000_000)
          .padStart(6, "0")
          .replace(/0+$/, "")}`;
  const words = [
    years === 0 ? "" : `${years} year${years === 1 ? "" : "s"}`,
    months === 0 ? "" : `${months} mon${months === 1 ? "" : "s"}`,
    days === 0 ? "" : `${days} day${days === 1 ? "" : "s"}`,
    micros === 0 && (years !== 0 || months !== 0 || days !== 0)
      ? ""
      : `${micros < 0 ? "-" : ""}${clock.join(":")}${fraction}`,
  ];
  return words.filter((word) => word !== "").join(" ");
}

export const microDuration: fc.Arbitrary<Both> = span.map((one) =>
  both(spanText(one), BigInt(one.years * 12 + one.months) * MONTH + BigInt(one.days) * DAY + BigInt(one.micros)),
);

export const intervalText: fc.Arbitrary<Both> = span.map((one) => {
  const sign = one.micros < 0 ? -1 : 1;
  const second = Math.floor(Math.abs(one.micros) / 1_000_000);
  const rest = (Math.abs(one.micros) % 60_000_000) / 1_000_000;
  const clock = `T${sign * Math.floor(second / 3600) + 0}H${sign * (Math.floor(second / 60) % 60) + 0}M${sign * rest + 0}S`;
  return both(spanText(one), `P${one.years}Y${one.months}M${one.days}D${clock}`);
});

/** A PostgreSQL array's text, quoted where necessary. */
export function array(element: fc.Arbitrary<Both>, nulls = true): fc.Arbitrary<Both> {
  const item = nulls ? fc.option(element, { freq: 5 }) : element;
  return fc.array(item, { maxLength: 5 }).map((items) => {
    const shown = items.map((one) => (one === null ? "NULL" : quoteElement(one.text)));
    return both(
      `{${shown.join(",")}}`,
      items.map((one) => one?.value ?? null),
    );
  });
}

function quoteElement(text: string): string {
  if (!/^$|[{}",\\\s]|^null$/i.test(text)) return text;
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

type Pair = readonly [key: string, value: string | null];

/** Keys of one letter: Java's HashMap orders them by their code, modulo its 16 buckets. */
const pairs: fc.Arbitrary<readonly Pair[]> = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom(...Array.from("abcdefgABCDEFG")),
      fc.option(
        string.map(({ text }) => text),
        { freq: 4 },
      ),
    ),
    {
      maxLength: 6,
      selector: ([key]) => key,
    },
  )
  .map((list) => list.toSorted((a, b) => (a[0].charCodeAt(0) % 16) - (b[0].charCodeAt(0) % 16)));

function hstoreText(list: readonly Pair[]): string {
  const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
  return list.map(([key, value]) => `${quote(key)}=>${value === null ? "NULL" : quote(value)}`).join(", ");
}

export const hstoreMap: fc.Arbitrary<Both> = pairs.map((list) => both(hstoreText(list), Object.fromEntries(list)));

export const hstoreJson: fc.Arbitrary<Both> = pairs.map((list) => {
  const json = list.map(([key, value]) => `"${key}":${value === null ? "null" : jacksonText(value)}`).join(",");
  return both(hstoreText(list), `{${json}}`);
});

const SHORT: Readonly<Record<string, string>> = { "\b": "b", "\t": "t", "\n": "n", "\f": "f", "\r": "r" };

function jacksonText(text: string): string {
  let out = "";
  for (const c of text) {
    const code = c.charCodeAt(0);
    if (c === '"' || c === "\\") out += `\\${c}`;
    else if (SHORT[c] !== undefined) out += `\\${SHORT[c]}`;
    else out += code < 32 ? `\\u${code.toString(16).toUpperCase().padStart(4, "0")}` : c;
  }
  return `"${out}"`;
}

const coordinate = fc.double({ noNaN: true, noDefaultInfinity: true });
const place = fc.tuple(coordinate, coordinate);
type Place = readonly [number, number];

function wkb(kind: number, counts: readonly number[], places: readonly Place[]): Buffer {
  const ints = [kind, ...counts].map((count) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(count);
    return bytes;
  });
  const doubles = places.flat().map((value) => Buffer.from(new Float64Array([value]).buffer));
  return Buffer.concat([Buffer.from([1]), ...ints, ...doubles]);
}

const placeText = ([x, y]: Place): string => `(${plain(x)},${plain(y)})`;
const pointValue = ([x, y]: Place): unknown => ({ x, y, wkb: wkb(1, [], [[x, y]]), srid: null });
const geometry = (bytes: Buffer, extensions: Readonly<Record<string, string>>): unknown => ({
  wkb: bytes,
  srid: null,
  extensions,
});

export const point: fc.Arbitrary<Both> = place.map((at) => both(placeText(at), pointValue(at)));

export const circle: fc.Arbitrary<Both> = fc
  .tuple(place, coordinate)
  .map(([center, radius]) => both(`<${placeText(center)},${plain(radius)}>`, { center: pointValue(center), radius }));

export const line: fc.Arbitrary<Both> = fc
  .tuple(coordinate, coordinate, coordinate)
  .map(([a, b, c]) => both(`{${plain(a)},${plain(b)},${plain(c)}}`, { a, b, c }));

export const box: fc.Arbitrary<Both> = fc.tuple(place, place).map(([p, q]) => {
  const ring: readonly Place[] = [p, [p[0], q[1]], q, [q[0], p[1]], p];
  return both(`${placeText(p)},${placeText(q)}`, geometry(wkb(3, [1, 5], ring), { type: "box" }));
});

export const lseg: fc.Arbitrary<Both> = fc
  .tuple(place, place)
  .map((ends) => both(`[${ends.map(placeText).join(",")}]`, geometry(wkb(2, [2], ends), { type: "lseg" })));

/** AvroConverter puts the extensions in a HashMap: `type` is in bucket 7, `closed` in 11. */
export const path: fc.Arbitrary<Both> = fc
  .tuple(fc.array(place, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([places, isClosed]) => {
    const list = places.map(placeText).join(",");
    const bytes = wkb(2, [places.length], places);
    return both(
      isClosed ? `(${list})` : `[${list}]`,
      geometry(
        bytes,
        hashed([
          ["type", "path"],
          ["closed", String(isClosed)],
        ]),
      ),
    );
  });

/** In the order of java.lang.String.hashCode of the keys. */
function hashed(list: readonly (readonly [string, string])[]): Readonly<Record<string, string>> {
  const bucket = (key: string): number => {
    let hash = 0n;
    for (const c of key) hash = BigInt.asIntN(32, hash * 31n + BigInt(c.charCodeAt(0)));
    const word = BigInt.asUintN(32, hash);
    return Number((word ^ (word >> 16n)) & 15n);
  };
  return Object.fromEntries(list.toSorted((a, b) => bucket(a[0]) - bucket(b[0])));
}

export const polygon: fc.Arbitrary<Both> = fc.array(place, { minLength: 2, maxLength: 4 }).map((places) => {
  const [first] = places;
  const last = places.at(-1);
  const isClosed = first?.[0] === last?.[0] && first?.[1] === last?.[1];
  const ring = isClosed || first === undefined ? places : [...places, first];
  return both(`(${places.map(placeText).join(",")})`, geometry(wkb(3, [1, ring.length], ring), { type: "polygon" }));
});

/** EWKB as PostGIS prints it, with and without an srid. */
export function ewkb(more: object): fc.Arbitrary<Both> {
  return fc
    .tuple(fc.option(fc.integer({ min: 0, max: 999_999 })), fc.uint8Array({ minLength: 4, maxLength: 20 }))
    .map(([srid, rest]) => {
      const head = Buffer.alloc(srid === null ? 5 : 9);
      head[0] = 1;
      head.writeUInt32LE(srid === null ? 1 : 0x20000001, 1);
      if (srid !== null) head.writeInt32LE(srid, 5);
      const bytes = Buffer.concat([head, rest]);
      return both(bytes.toString("hex").toUpperCase(), { wkb: bytes, srid, ...more });
    });
}

/** pgvector's texts. */
export function vector(element: fc.Arbitrary<Both>): fc.Arbitrary<Both> {
  return fc.array(element, { minLength: 1, maxLength: 5 }).map((items) =>
    both(
      `[${items.map((one) => one.text).join(",")}]`,
      items.map((one) => one.value),
    ),
  );
}

export const sparseVector: fc.Arbitrary<Both> = fc
  .option(fc.tuple(fc.integer({ min: 1, max: 500 }), double))
  .map((entry) =>
    both(`{${entry === null ? "" : `${entry[0]}:${entry[1].text}`}}/500`, {
      dimensions: 500,
      vector: entry === null ? [] : [{ key: entry[0], value: entry[1].value }],
    }),
  );
