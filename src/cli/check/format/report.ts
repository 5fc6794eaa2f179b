import * as z from "zod";
import { findingSchema, verdictWord as verdict } from "../../../api/amendment.ts";

const place = z
  .strictObject({ file: z.string(), line: z.int().min(1), column: z.int().min(1) })
  .describe("Where it stands in fieldgate.yaml; line and column count from 1");

const finding = findingSchema.extend({
  severity: z.enum(["error", "warning", "note"]).describe("note: it was ignored by fieldgate.yaml"),
  ignored: z
    .strictObject({ reason: z.string(), until: z.iso.date() })
    .optional()
    .describe("Why it is only a note, and the last day of that"),
  place: place.optional().describe("Where it stands, when that is not at the topic"),
});

const topic = z.strictObject({
  topic: z.string(),
  consumer: z.string(),
  place,
  verdict: verdict.describe("For what flows"),
  findings: z.array(finding),
  withheld: z
    .array(z.strictObject({ amendmentId: z.string(), field: z.string(), verdict, findings: z.array(finding) }))
    .describe("Fields that are kept out of the events until their readers are ready"),
});

/** What `check` found, as `--format json` prints it. */
export const reportSchema = z
  .strictObject({
    source: z.enum(["service", "registry", "files"]).describe("Who was asked"),
    note: z.string().optional().describe("What this source cannot tell"),
    failOn: z.enum(["flowing", "withheld"]).describe("What makes `check` exit with 100"),
    fails: z.boolean().describe("Does it exit with 100"),
    topics: z.array(topic),
    ignore: z.array(finding).describe("About the file's own lists, ignore and severity: entries that have run out"),
  })
  .meta({ title: "fieldgate check --format json" });

export type Report = z.infer<typeof reportSchema>;
export type TopicReport = Report["topics"][number];
export type Reported = TopicReport["findings"][number];
export type Place = z.infer<typeof place>;
