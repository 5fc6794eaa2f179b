import { describe, expect, it } from "vitest";
import * as z from "zod";

import { formatGithub } from "../../../../src/cli/check/format/github.ts";
import { formatGitlab } from "../../../../src/cli/check/format/gitlab.ts";
import { formatJson } from "../../../../src/cli/check/format/json.ts";
import { formatJunit } from "../../../../src/cli/check/format/junit.ts";
import { formatMarkdown } from "../../../../src/cli/check/format/markdown.ts";
import { type Report, type Reported, reportSchema } from "../../../../src/cli/check/format/report.ts";
import { formatSarif } from "../../../../src/cli/check/format/sarif.ts";
import { formatText } from "../../../../src/cli/check/format/text.ts";

const place = { file: "billing/fieldgate.yaml", line: 4, column: 5 };

const missing: Reported = {
  rule: "contract/field-missing",
  severity: "error",
  certainty: "always",
  field: "after.city",
  message: 'the consumer reads "city", which is missing from the events',
  remedy: 'remove "city" from `fields` once the consumer no longer needs it',
};

const unknown: Reported = {
  rule: "contract/unknown-field",
  severity: "error",
  certainty: "always",
  field: "after.nickname",
  message: 'the consumer rejects unknown fields, and its contract does not name "nickname"',
  remedy: 'add "nickname" to `ignores`',
};

/** Text that means something special in one of the formats. */
const nasty: Reported = {
  rule: "test/nasty",
  severity: "warning",
  certainty: "by-policy",
  message: '100%, a:b <b>&"quoted"</b> | @team ::error::x ]]> \u0001 *bold* \r\nsecond line \u{1F600}',
};

const report: Report = {
  source: "registry",
  note: "only the registry was asked",
  failOn: "flowing",
  fails: true,
  topics: [
    {
      topic: "inventory.public.customers",
      consumer: "billing",
      place,
      verdict: "not-ready",
      findings: [missing, nasty],
      withheld: [
        { amendmentId: "inventory.public.customers/3", field: "nickname", verdict: "not-ready", findings: [unknown] },
        { amendmentId: "inventory.public.customers/4", field: "zip", verdict: "ready", findings: [] },
      ],
    },
    {
      topic: "inventory.public.orders",
      consumer: "billing",
      place: { ...place, line: 9 },
      verdict: "ready",
      findings: [{ ...missing, severity: "note", ignored: { reason: "goes in release 12", until: "2026-12-31" } }],
      withheld: [],
    },
    {
      topic: "inventory.public.gone",
      consumer: "billing",
      place: { ...place, line: 14 },
      verdict: "unknown",
      findings: [
        {
          rule: "topic/not-seen",
          severity: "warning",
          certainty: "always",
          message: "the service does not publish it",
        },
      ],
      withheld: [],
    },
  ],
  ignore: [
    {
      rule: "ignore/expired",
      severity: "warning",
      certainty: "always",
      message: "contract/field-retyped was ignored until 2026-01-01: waits",
      remedy: "remove the entry",
      place: { ...place, line: 20 },
    },
  ],
};
const empty: Report = { source: "service", failOn: "flowing", fails: false, topics: [], ignore: [] };

const FORMATS = [
  ["text", formatText, "text"],
  ["json", formatJson, "json"],
  ["junit", formatJunit, "xml"],
  ["sarif", formatSarif, "sarif"],
  ["github-actions", formatGithub, "github"],
  ["gitlab-code-quality", formatGitlab, "gitlab"],
  ["markdown", formatMarkdown, "md"],
] as const;

describe("each format", () => {
  it.each(FORMATS)("%s prints its snapshot", async (_name, format, ending) => {
    await expect(`${format(report)}\n`).toMatchFileSnapshot(`snapshots/check.${ending}.txt`);
    expect(() => format(empty)).not.toThrow();
  });

  it.each(FORMATS)("%s says what happens when an event is read, once for each finding", (name, format) => {
    const flows: Reported = { ...missing, message: "it needs a city", effect: "throws" };
    const waits: Reported = {
      ...unknown,
      message: "it counts ms",
      effect: "reads-wrong-value",
      certainty: "on-some-data",
    };
    const topics = report.topics.slice(0, 1).map((topic) => ({
      ...topic,
      findings: [flows],
      withheld: topic.withheld.slice(0, 1).map((one) => ({ ...one, findings: [waits] })),
    }));
    const text = format({ ...empty, topics });
    const effects = name === "json" ? ["throws", "reads-wrong-value"] : EFFECTS;
    expect(effects.map((words) => text.split(words).length - 1)).toEqual([1, 1]);
  });
});

const EFFECTS = ["it needs a city; the decoder throws", "it counts ms; a wrong value is read on some data"];

describe("of several files", () => {
  const [topic] = report.topics;
  if (topic === undefined) throw new Error("the report has no topic");
  const other = { ...topic, consumer: "search", place: { ...place, file: "search/fieldgate.yaml" } };
  const several = { ...report, topics: [topic, other] };

  it.each<[string, (report: Report) => string, RegExp]>([
    ["text", formatText, /^billing\/fieldgate\.yaml\n {2}inventory\S+ billing .*[^]*\nsearch\/fieldgate\.yaml\n {2}/],
    ["junit", formatJunit, /<testsuite name="search\/fieldgate\.yaml: inventory\.public\.customers" tests="3"/],
    ["github-actions", formatGithub, /^search\/fieldgate\.yaml: inventory\.public\.customers: search: not-ready$/m],
    ["markdown", formatMarkdown, /^\| file \| topic \| .*\n.*\n\| `billing\/fieldgate\.yaml` \| `inventory/m],
  ])("%s names the file of each result", (_, format, expected) => {
    expect(format(several)).toMatch(expected);
  });

  it("text has a remedy that findings share once, after all of them, and the total last", () => {
    const lines = formatText(several).split("\n");
    expect(lines.filter((line) => line.includes("`fields` once the consumer"))).toEqual([
      '  [contract/field-missing] (2 times): remove "city" from `fields` once the consumer no longer needs it',
    ]);
    expect(lines.at(-1)).toBe("0 of 2 ready for the current events");
  });
});

it("markdown has a remedy that findings share once, below the table", () => {
  const topics = report.topics.map((one) => ({ ...one, findings: [missing], withheld: [] }));
  const text = formatMarkdown({ ...report, topics, ignore: [] });
  expect(text.match(/once the consumer no longer needs it/g)).toHaveLength(1);
  expect(text).toMatch(
    /\n\n\*\*What to do\*\*\n\n- `contract\/field-missing` \(3 times\): remove "city" from `fields`/,
  );
});

describe("json", () => {
  it("matches schemas/check.schema.json, which is generated from the command's types", async () => {
    const schema = z.toJSONSchema(reportSchema);
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot("../../../../schemas/check.schema.json");
    expect(reportSchema.parse(JSON.parse(formatJson(report)))).toEqual(report);
  });
});

describe("junit", () => {
  it("contains no character that XML forbids, and escapes the special ones", () => {
    const text = formatJunit(report);
    // oxlint-disable-next-line no-control-regex -- the forbidden characters
    expect(text).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
    expect(text).toContain("&lt;b&gt;&amp;&quot;quoted&quot;&lt;/b&gt;");
    expect(text.replaceAll(/<\/?[a-z-]+( [a-z]+="[^"<]*")*\/?>|<\?xml [^>]*\?>/g, "")).not.toMatch(/[<>]/);
  });

  it("fails exactly where the command exits 100: for a withheld field only with --fail-on withheld", () => {
    const failures = (text: string) => [...text.matchAll(/<failure /g)].length;
    expect(failures(formatJunit(report))).toBe(2);
    expect(failures(formatJunit({ ...report, failOn: "withheld" }))).toBe(3);
    expect(formatJunit(report)).toContain('<testsuites name="fieldgate check" tests="5" failures="2"');
  });
});

describe("sarif", () => {
  /** The fields that SARIF 2.1.0 requires of a log, and GitHub of a result. */
  const sarif = z.object({
    $schema: z.url(),
    version: z.literal("2.1.0"),
    runs: z.tuple([
      z.object({
        tool: z.object({ driver: z.object({ name: z.string(), rules: z.array(z.object({ id: z.string() })) }) }),
        results: z.array(
          z.object({
            ruleId: z.string(),
            ruleIndex: z.int().min(0),
            level: z.enum(["none", "note", "warning", "error"]),
            message: z.object({ text: z.string().min(1) }),
            locations: z
              .array(
                z.object({
                  physicalLocation: z.object({
                    artifactLocation: z.object({ uri: z.string().regex(/^[^\s\\:]+$/) }),
                    region: z.object({ startLine: z.int().min(1), startColumn: z.int().min(1) }),
                  }),
                }),
              )
              .length(1),
            partialFingerprints: z.record(z.string(), z.string().min(1)),
          }),
        ),
      }),
    ]),
  });

  it("has the fields that 2.1.0 requires, and each result refers to its rule", () => {
    const [run] = sarif.parse(JSON.parse(formatSarif(report))).runs;
    expect(run.results).toHaveLength(6);
    for (const { ruleId, ruleIndex } of run.results) expect(run.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
  });
});

describe("github-actions", () => {
  it("escapes like the toolkit, so that no text becomes a command", () => {
    const lines = formatGithub(report).split("\n");
    const commands = lines.filter((line) => line.startsWith("::"));
    expect(commands).toHaveLength(7);
    for (const line of commands) {
      expect(line).toMatch(/^::(error|warning|notice) (file=[^:,]+,line=\d+,col=\d+,)?title=[^:,]+::[^\r\n]+$/);
    }
    expect(commands[1]).toContain("100%25, a:b");
    expect(commands[1]).toContain("%0D%0Asecond line");
  });

  it("a path cannot end its property", () => {
    const topics = report.topics.map((one) => ({ ...one, place: { ...one.place, file: "a,b:c%::.yaml" } }));
    expect(formatGithub({ ...report, topics })).toContain("::error file=a%2Cb%3Ac%25%3A%3A.yaml,line=4,");
  });

  it("a withheld field is an error only with --fail-on withheld", () => {
    const errors = (one: Report) => [...formatGithub(one).matchAll(/^::error /gm)].length;
    expect([errors(report), errors({ ...report, failOn: "withheld" })]).toEqual([1, 2]);
  });
});

describe("gitlab-code-quality", () => {
  const issue = z.object({
    description: z.string().min(1),
    check_name: z.string(),
    fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
    severity: z.enum(["info", "minor", "major", "critical", "blocker"]),
    location: z.object({ path: z.string().regex(/^(?!\.\/)/), lines: z.object({ begin: z.int().min(1) }) }),
  });
  const read = (one: Report) => z.array(issue).parse(JSON.parse(formatGitlab(one)));

  it("has the fields that GitLab requires, and unique fingerprints even for equal findings", () => {
    const [topic] = report.topics;
    const twice = { ...report, topics: topic === undefined ? [] : [{ ...topic, findings: [missing, missing] }] };
    for (const one of [report, twice]) {
      const prints = read(one).map(({ fingerprint }) => fingerprint);
      expect(new Set(prints).size).toBe(prints.length);
    }
  });

  it("keeps the fingerprint when a line moves", () => {
    const moved = { ...report, topics: report.topics.map((one) => ({ ...one, place: { ...one.place, line: 77 } })) };
    expect(read(moved).map(({ fingerprint }) => fingerprint)).toEqual(
      read(report).map(({ fingerprint }) => fingerprint),
    );
  });

  it("is an empty list without findings", () => expect(JSON.parse(formatGitlab(empty))).toEqual([]));
});

describe("markdown", () => {
  it("mentions no user and keeps each finding in one row", () => {
    const text = formatMarkdown(report);
    expect(text).not.toMatch(/@team|<b>/);
    const rows = text.split("\n").filter((line) => line.startsWith("| ") && line.includes("test/nasty"));
    expect(rows).toHaveLength(1);
  });
});
