import { fixed, type Samples } from "./sample.ts";

/** Texts of PostgreSQL types that are plain strings in events. */
const TEXTS: Readonly<Record<string, Samples>> = {
  inet: fixed("192.0.2.1", "2001:db8::1", "192.0.2.0/24"),
  cidr: fixed("192.0.2.0/24", "2001:db8::/32"),
  macaddr: fixed("08:00:2b:01:02:03"),
  macaddr8: fixed("08:00:2b:01:02:03:04:05"),
  int4range: fixed("[1,10)", "empty", "(,)"),
  int8range: fixed("[1,10)", "empty", "(,)"),
  numrange: fixed("[1.5,2.5]", "empty", "(,)"),
  daterange: fixed("[2025-01-01,2025-02-01)", "empty", "(,)"),
  tsrange: fixed('["2025-01-01 00:00:00","2025-02-01 00:00:00")', "empty", "(,)"),
  tstzrange: fixed('["2025-01-01 00:00:00+00","2025-02-01 00:00:00+00")', "empty", "(,)"),
  ean13: fixed("978-0-393-04002-9"),
  isbn13: fixed("978-0-393-04002-9"),
  isbn: fixed("0-393-04002-X"),
  ismn13: fixed("979-0-060-11561-5"),
  ismn: fixed("M-060-11561-5"),
  issn13: fixed("977-1436-452-00-8"),
  issn: fixed("1436-4522"),
  upc: fixed("220356483481"),
  bytea: fixed("00ff", ""),
  '"char"': fixed("a", ""),
};

const ALL_KINDS = "žena 漢字 😀 ";

/** Plain strings of a field; `columnType` as format_type prints it, empty: not known. */
export function textSamples(name: string, columnType: string): Samples {
  const known = TEXTS[columnType];
  if (known !== undefined) return known;
  const [, scale] = /^(?:numeric(?:\(\d+(?:,(\d+))?\))?|money)$/.exec(columnType) ?? [];
  if (/^(?:numeric|money)/.test(columnType)) return decimalTexts(Number(scale ?? 2));
  const [, kind, digits] = /^(character|character varying|bpchar|varchar)\((\d+)\)$/.exec(columnType) ?? [];
  const most = digits === undefined ? 1000 : Number(digits);
  const isPadded = kind === "character" || kind === "bpchar";
  const fit = (text: string): string => {
    const points = Array.from(text).slice(0, most);
    return isPadded ? points.join("") + " ".repeat(most - points.length) : points.join("");
  };
  const long = ALL_KINDS.repeat(Math.ceil(most / Array.from(ALL_KINDS).length));
  return { typical: (row) => fit(`${name} ${row}`), edges: ["", long].map(fit) };
}

function decimalTexts(scale: number): Samples {
  const shown = (text: string) => (scale === 0 ? text : `${text}.${"25".padEnd(scale, "0").slice(0, scale)}`);
  return fixed(shown("12"), scale === 0 ? "0" : `0.${"0".repeat(scale)}`, shown("-12"));
}
