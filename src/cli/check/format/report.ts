import * as z from "zod";
import { findingSchema, verdictWord as verdict } from "../../../api/amendment.ts";

const place = z
  .strictObject({ file: z.string(), line: z.int().min(1), column: z.int().min(1) })
  .describe("The place in the contract file; line and column count from 1");

const finding = findingSchema.extend({
  severity: z.enum(["error", "warning", "note"]).describe("note: fieldgate.yaml ignores it"),
  ignored: z
    .strictObject({ reason: z.string(), until: z.iso.date() })
    .optional()
    .describe("Why fieldgate.yaml ignores it, and the last day on which it does"),
  place: place.optional().describe("The place of the finding, if it differs from the topic's"),
});

const topic = z.strictObject({
  topic: z.string(),
  consumer: z.string(),
  place,
  verdict: verdict.describe("The verdict for the current events"),
  findings: z.array(finding),
  withheld: z
    .array(z.strictObject({ amendmentId: z.string(), field: z.string(), verdict, findings: z.array(finding) }))
    .describe("Fields that are withheld from the events until their readers are ready"),
});

/** The result of `check`, as `--format json` prints it. */
export const reportSchema = z
  .strictObject({
    source: z.enum(["service", "registry", "files"]).describe("Where the schemas came from"),
    note: z.string().optional().describe("What this source does not know"),
    failOn: z
      .enum(["flowing", "withheld"])
      .describe("What makes `check` exit with 100: the current events only, or withheld fields too"),
    fails: z.boolean().describe("Whether `check` exits with 100"),
    topics: z.array(topic),
    ignore: z.array(finding).describe("Expired entries of the file's `ignore` and `severity` lists"),
  })
  .meta({ title: "fieldgate check --format json" });

export type Report = z.infer<typeof reportSchema>;
export type TopicReport = Report["topics"][number];
export type Reported = TopicReport["findings"][number];
export type Place = z.infer<typeof place>;

/** True if the report is about several contract files, so that each result has to name its own. */
export function isOfSeveralFiles({ topics }: Report): boolean {
  return new Set(topics.map(({ place: { file } }) => file)).size > 1;
}
