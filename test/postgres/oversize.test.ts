import { fc, test as law } from "@fast-check/vitest";
import { expect } from "vitest";
import { oversizeFilter } from "../../src/postgres/oversize.ts";

function message(code: string, payload: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(code, 0, "latin1");
  header.writeUInt32BE(payload.length + 4, 1);
  return Buffer.concat([header, payload]);
}

const MAX = 40;
const messages = fc.array(
  fc.record({
    code: fc.constantFrom("d", "d", "N", "S"),
    payload: fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes)),
  }),
  { maxLength: 12 },
);

law.prop([messages, fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 })])(
  "whatever pieces it arrives in, all but large CopyData passes unchanged, and of that the first bytes are told",
  (all, cuts) => {
    const passed: Buffer[] = [];
    const told: { head: string; bytes: number }[] = [];
    const filter = oversizeFilter(
      MAX,
      (piece) => void passed.push(Buffer.from(piece)),
      ({ head, bytes }) => void told.push({ head: head.toString("hex"), bytes }),
    );
    const stream = Buffer.concat(all.map(({ code, payload }) => message(code, payload)));
    for (let at = 0, turn = 0; at < stream.length; turn++) {
      const end = at + (cuts[turn % cuts.length] ?? 1);
      filter.feed(stream.subarray(at, end));
      at = end;
    }
    const isLarge = ({ code, payload }: (typeof all)[number]) => code === "d" && payload.length > MAX;
    const rest = all.filter((one) => !isLarge(one)).map(({ code, payload }) => message(code, payload));
    expect(Buffer.concat(passed).toString("hex")).toBe(Buffer.concat(rest).toString("hex"));
    expect(told).toEqual(
      all
        .filter(isLarge)
        .map(({ payload }) => ({ head: payload.subarray(0, 30).toString("hex"), bytes: payload.length })),
    );
  },
);
