import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { jsonStream, prettyStream } from "../../src/service/log.ts";
import { ACTING } from "../hostile.ts";

const HOSTILE = ACTING.join(" ");
const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u;

function collector() {
  const lines: string[] = [];
  return { lines, write: (line: string) => void lines.push(line) };
}

describe("the log", () => {
  it("is one JSON object per line, in which no character acts on a terminal", () => {
    const out = collector();
    pino({ level: "info" }, jsonStream(out)).info({ actor: HOSTILE }, `table ${HOSTILE}`);
    expect(out.lines).toHaveLength(1);
    expect(out.lines[0]?.trimEnd()).not.toMatch(HIDDEN);
    expect(JSON.parse(out.lines[0] ?? "")).toMatchObject({
      actor: HOSTILE,
      msg: `table ${HOSTILE}`,
    });
  });

  it("for people has no line that a name could forge", async () => {
    const out = collector();
    const log = pino({ level: "info" }, await prettyStream(out));
    log.warn(
      { connector: "shop", actor: HOSTILE, err: new Error(HOSTILE) },
      `table ${HOSTILE}\n12:00:00 INFO: all is well`,
    );
    const text = out.lines.join("");
    expect(text.replaceAll("\n", "")).not.toMatch(HIDDEN);
    expect(text).toContain("WARN");
    expect(
      text
        .trimEnd()
        .split("\n")
        .slice(1)
        .every((line) => line.startsWith(" ")),
    ).toBe(true);
  });
});
