import { stripVTControlCharacters } from "node:util";

import { describe, expect, it } from "vitest";
import * as fc from "fast-check";

import { foldLines, textTable } from "../../src/cli/fold.ts";

describe("text that is wider than the terminal", () => {
  it("is broken between words, and what continues a line is indented further", () => {
    expect(foldLines("  withheld: billing is not ready for it", 30)).toBe(
      "  withheld: billing is not\n    ready for it",
    );
  });

  it("continues below the text that is beside a label", () => {
    expect(foldLines("  gate   withheld: billing is not ready", 30)).toBe(
      "  gate   withheld: billing is\n         not ready",
    );
  });

  it("keeps lines that fit, and empty lines", () => {
    expect(foldLines("one  two\n\nthree", 10)).toBe("one  two\n\nthree");
  });

  it("keeps a command on one line if it fits there", () => {
    const text = "next: once billing is ready, in its repository: fieldgate publish --env production";
    expect(foldLines(text, 60)).toBe(
      "next: once billing is ready, in its repository:\n  fieldgate publish --env production",
    );
    expect(foldLines("add it to `ignores`, then run `fieldgate publish --env production`", 50)).toBe(
      "add it to `ignores`, then run\n  `fieldgate publish --env production`",
    );
  });

  it("breaks a command that fits on no line with a backslash, so that it can still be pasted", () => {
    const command = 'fieldgate release inventory.public.customers/row --as dead-letter --reason "an import"';
    const lines = foldLines(`next: ${command}`, 40).split("\n");
    expect(lines.slice(1, -1).every((line) => line.endsWith(" \\"))).toBe(true);
    expect(
      lines
        .slice(1)
        .join("\n")
        .replaceAll(/ \\\n +/g, " ")
        .trim(),
    ).toBe(command);
  });

  const words = fc.array(fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 90 }), { maxLength: 40 });
  it("loses and cuts no word", () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 10, max: 120 }), (parts, columns) => {
        const text = parts.join(" ");
        const folded = foldLines(text, columns);
        const wordsOf = (one: string) => one.split(/\s+/).filter((word) => word !== "" && word !== "\\");
        expect(wordsOf(folded)).toEqual(wordsOf(text));
      }),
      { examples: [[["` ", " ``!!!!!"], 10]] },
    );
  });

  it("is only wider than the terminal where a single word is", () => {
    const word = fc.stringMatching(/^[a-z]{1,20}$/);
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), fc.integer({ min: 24, max: 120 }), (parts, columns) => {
        for (const line of foldLines(parts.join(" "), columns).split("\n")) {
          expect(line.length).toBeLessThanOrEqual(columns);
        }
      }),
    );
  });
});

describe("a table", () => {
  const head = ["ID", "GATE", "WHY"];
  const rows = [
    ["inventory.public.customers/3", "withheld for 3 h", "billing is not ready, and neither is search"],
    ["inventory.public.customers/4", "released", "-"],
  ];

  it("has one line per row if it is not for a terminal", () => {
    expect(textTable(head, rows).split("\n")).toHaveLength(3);
    expect(textTable(head, rows)).toBe(textTable(head, rows, 200));
  });

  it("has a folded last column on a terminal that is a little too narrow", () => {
    expect(textTable(head, rows, 76)).toBe(
      [
        "ID                            GATE              WHY",
        "inventory.public.customers/3  withheld for 3 h  billing is not ready, and",
        "                                                neither is search",
        "inventory.public.customers/4  released          -",
      ].join("\n"),
    );
  });

  it("becomes one block per row on a terminal that is much too narrow", () => {
    expect(textTable(head, rows, 40)).toBe(
      [
        "inventory.public.customers/3",
        "  gate  withheld for 3 h",
        "  why   billing is not ready, and",
        "        neither is search",
        "inventory.public.customers/4",
        "  gate  released",
      ].join("\n"),
    );
  });

  it("is aligned although some of its cells have colours", () => {
    const [, first = "", second = ""] = textTable(head, [
      ["a", "\u001b[32mon\u001b[39m", "x"],
      ["b", "off", "x"],
    ]).split("\n");
    expect(stripVTControlCharacters(first).indexOf("x")).toBe(second.indexOf("x"));
  });
});
