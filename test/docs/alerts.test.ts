import { expect, test } from "vitest";

import type { NoticeAbout, Severity } from "../../src/alert/alert.ts";
import { messageOf } from "../../src/slack/message.ts";
import { readRepositoryFile } from "./pages.ts";

/** How urgent the notices of each kind may be. */
const NOTICES: Readonly<Record<NoticeAbout, readonly Severity[]>> = {
  retrying: ["stopped"],
  stalled: ["stopped"],
  slot: ["stopped", "info"],
  "rows-missing": ["withheld"],
  parked: ["withheld"],
  "no-event": ["withheld"],
  "not-captured": ["withheld"],
  waits: ["withheld"],
  "table-warning": ["withheld"],
  topics: ["withheld", "info"],
  registry: ["withheld"],
  contract: ["withheld"],
  "flows-again": ["info"],
  "contract-fits": ["info"],
  "file-changed": ["info", "withheld"],
  tables: ["info", "withheld"],
};

/** The marks by header, as docs/alerts.md has them. */
const ROWS: ReadonlyMap<string, string> = new Map(
  [...readRepositoryFile("docs/alerts.md").matchAll(/^\| (\S+(?: \S+)?) \| `([^`]+)` \|/gm)].map(
    ([, marks = "", header = ""]) => [header, marks],
  ),
);

test("docs/alerts.md has the header of each kind of notice, with its marks", () => {
  const expected = Object.entries(NOTICES).map(([about, severities]): [string, string] => {
    const notices = [{ about: about as NoticeAbout, what: "", next: undefined }]; // Object.entries forgets the keys' type
    const titles = severities.map((severity) => messageOf({ kind: "notice", severity, connector: "…", notices }).text);
    const marks = titles.map((title) => title.split(" ")[0]).join(" ");
    return [titles[0]?.replace(/^\S+ /, "") ?? "", marks];
  });
  const known = new Set(expected.map(([header]) => header));
  const documented = [...ROWS].filter(([header]) => known.has(header));
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(expected));
});
