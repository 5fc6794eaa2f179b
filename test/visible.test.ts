import { fc, test as law } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { asOneEntry, visible, visibleIn, visibleLines } from "../src/visible.ts";
import { ACTING, hostileJson, hostileWord } from "./hostile.ts";

const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200B\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/u;

describe("a text from outside", () => {
  it.each([
    ["\u001B[2Jcleared", String.raw`\u001b[2Jcleared`],
    ["one\ntwo\r\n\tthree", String.raw`one\ntwo\u000d\n\tthree`],
    ["\u202Egnp.exe", String.raw`\u202egnp.exe`],
    ["\u009B31m", String.raw`\u009b31m`],
    ["\uD800", String.raw`\ud800`],
    ["ünïcödé, 日本語, 👨‍👩‍👧 and नमस्‍ते", "ünïcödé, 日本語, 👨‍👩‍👧 and नमस्‍ते"],
  ])("%j is shown as %s", (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  law.prop([hostileWord])("has no character that acts on a terminal, and one line", (text) => {
    expect(visible(text)).not.toMatch(HIDDEN);
    expect(visibleLines(text).replaceAll(/[\n\t]/g, "")).not.toMatch(HIDDEN);
    expect(
      asOneEntry(text)
        .split("\n")
        .slice(1)
        .every((line) => line.startsWith(" ")),
    ).toBe(true);
  });

  law.prop([hostileJson])("in JSON keeps its meaning", (value) => {
    expect(JSON.parse(visibleLines(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)));
  });

  law.prop([fc.array(fc.record({ name: hostileWord, parts: fc.array(hostileWord) }))])(
    "is on one line wherever an answer has it",
    (answer) => {
      expect(
        visibleIn(answer)
          .flatMap(({ name, parts }) => [name, ...parts])
          .join(""),
      ).not.toMatch(HIDDEN);
      expect(visibleIn(answer)).toHaveLength(answer.length);
    },
  );

  it.each(ACTING)("%j keeps its letters", (text) => {
    for (const word of text.match(/[a-z]{2,}/g) ?? []) expect(visible(text)).toContain(word);
  });
});
