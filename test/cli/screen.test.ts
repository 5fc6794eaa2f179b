import { describe, expect, it } from "vitest";

import { openScreen } from "../../src/cli/screen.ts";
import { ACTING } from "../hostile.ts";

const TERMINAL = { isTTY: true, columns: 80, hasColors: () => true };
const RED = "\u001b[31mno\u001b[39m";

describe("colours", () => {
  it.each<[string, boolean, Parameters<typeof openScreen>[0], Readonly<Record<string, string>>]>([
    ["a terminal", true, TERMINAL, {}],
    ["a terminal without colours", false, { ...TERMINAL, hasColors: () => false }, {}],
    ["a pipe", false, {}, {}],
    ["a terminal with NO_COLOR", false, TERMINAL, { NO_COLOR: "1" }],
    ["a pipe with FORCE_COLOR", true, {}, { FORCE_COLOR: "1" }],
    ["a terminal with FORCE_COLOR=0", false, TERMINAL, { FORCE_COLOR: "0" }],
    ["a terminal with both", false, TERMINAL, { FORCE_COLOR: "1", NO_COLOR: "1" }],
  ])("%s has them: %s", (_, expected, output, env) => {
    expect(openScreen(output, env).paint("bad", "no")).toBe(expected ? RED : "no");
  });

  it("are the only thing that acts on a terminal", () => {
    const screen = openScreen(TERMINAL, {});
    const shown = screen.fold(`${screen.paint("bad", "no")} ${ACTING.join("")} \u001b[31mfrom outside\u001b[39m`);
    expect(shown.startsWith(`${RED} `)).toBe(true);
    expect(shown.slice(RED.length)).not.toMatch(/(?!\n)\p{Cc}/u);
  });
});

describe("ages", () => {
  it("replace times on a terminal only", () => {
    const time = new Date(Date.now() - 3 * 3_600_000).toISOString();
    expect(openScreen(TERMINAL, {}).since(time)).toBe("for 3 h");
    expect(openScreen({}, {}).since(time)).toBe(`since ${time}`);
  });

  it("replace nothing that is not a time", () => {
    expect(openScreen(TERMINAL, {}).since("yesterday")).toBe("since yesterday");
  });
});

describe("the width", () => {
  it("is 80 columns for a terminal that reports none", () => {
    expect(openScreen({ ...TERMINAL, columns: 0 }, {}).columns).toBe(80);
    expect(openScreen({}, {}).columns).toBeUndefined();
  });
});
