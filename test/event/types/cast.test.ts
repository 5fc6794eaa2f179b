import { expect, test } from "vitest";
import type { ColumnType } from "../../../src/table/column.ts";
import { castEncoder } from "../../../src/event/types/cast.ts";
import { UNFIT, type Encode } from "../../../src/event/types/entry.ts";
import { encoderOf } from "../../../src/event/types/encoder.ts";
import { DEFAULT_MODES } from "../../../src/event/types/modes.ts";
import { avroTypeOf } from "../../../src/event/types/table.ts";
import { CASTS, STRICTER, type CastCase } from "./cast-cases.ts";
import { sqlType } from "../debezium-case.ts";

function typeOf(sql: string): ColumnType {
  if (sql === "mood") return { oid: 77, typmod: -1, detail: { kind: "enum", name: "mood", labels: ["low", "high"] } };
  if (sql.endsWith("[]")) return { oid: 78, typmod: -1, detail: { kind: "array", of: typeOf(sql.slice(0, -2)) } };
  return sqlType(sql);
}

/** The value's bytes in hexadecimal digits; undefined: it does not fit. */
function written(encode: Encode | undefined, text: string): string | undefined {
  const source = Buffer.from(text);
  const out = Buffer.alloc(1000);
  const end = encode?.(source, 0, source.length, out, 0) ?? UNFIT;
  return end === UNFIT ? undefined : out.toString("hex", 0, end);
}

test.each<CastCase>([...CASTS, ...STRICTER])(
  "a column now %s in a field made for %s: %s is %s",
  (from, to, text, cast) => {
    const type = typeOf(to);
    const avro = avroTypeOf(type) ?? "";
    const encode = castEncoder(avro, typeOf(from), type, DEFAULT_MODES, () => {});
    expect(encode).toBeDefined();
    expect(written(encode, text)).toBe(cast === undefined ? undefined : written(encoderOf(avro, type), cast));
    if (cast !== undefined) expect(written(encode, text)).toBeDefined();
  },
);
