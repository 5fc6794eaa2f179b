import * as z from "zod";
import { RELEASE_POLICIES } from "../gate/decision/policy.ts";
import type { DeepReadonly } from "../json.ts";
import { findingSchema, modeWord } from "./amendment.ts";

/**
 * The answer to `coverage`, as it is sent to the command line and printed with `--format json`: for each topic, the
 * consumer groups that read it and the contracts that count.
 */

export const releasePolicy = z.enum(RELEASE_POLICIES);

const time = z.iso.datetime().nullable();
const age = z.int().min(0).nullable();
const count = z.int().min(0);

const groupSchema = z.strictObject({
  group: z.string(),
  live: z.boolean().describe("It has members, or its committed offsets moved within fieldgate.groups.seen"),
  members: count
    .nullable()
    .describe("Members subscribed to the topic now; null if Kafka does not show which topics they read"),
  read: time.describe("When it was last seen with members or with offsets that had moved"),
  readSecondsAgo: age,
  moved: time.describe("When its offsets were last seen to have moved"),
  namedBy: z.array(z.string()).describe("Consumers whose contract on the topic names it"),
  announced: z
    .array(
      z.strictObject({
        fingerprint: z.string().describe("Fingerprint of the schema that members announce to read with"),
        members: count,
        consumers: z
          .array(z.string())
          .describe("Consumers whose contract has this schema; empty if no contract has it"),
      }),
    )
    .describe("Announced by members that use fieldgate/consumer"),
});

const contractSchema = z.strictObject({
  consumer: z.string(),
  groups: z.array(z.string()).describe("Group ids that count as the consumer's"),
  versions: count.describe("More than 1 if a version is being rolled out"),
  since: time.describe("When the contract was first seen"),
  read: time.describe("When one of its groups was last seen reading; null if never"),
  readSecondsAgo: age,
  stale: z.boolean().describe("None of its groups was seen for fieldgate.contracts.stale"),
  findings: z.array(findingSchema).describe("What the evidence shows against it"),
});

const topicSchema = z.strictObject({
  connector: z.string(),
  topic: z.string(),
  environment: z.string().describe("The environment whose contracts count (the connector's fieldgate.environment)"),
  mode: modeWord,
  policy: releasePolicy.describe("Has no effect in watch mode"),
  lastPoll: z.strictObject({
    at: time.describe("When the groups were last polled; null if not yet"),
    secondsAgo: age,
    problem: z.string().nullable().describe("Why it is currently unknown which groups read the topic"),
  }),
  groups: z.array(groupSchema),
  contracts: z.array(contractSchema),
  unnamed: z.array(z.string()).describe("Live groups that no contract names"),
});

const whatIfSchema = z.strictObject({
  policy: releasePolicy,
  note: z.string().describe("What this comparison cannot show"),
  amendments: z.array(
    z.strictObject({
      id: z.string(),
      field: z.string(),
      gate: z.enum(["withheld", "released"]).describe("The actual gate"),
      would: z.enum(["flows", "waits", "unknown"]).describe("What the requested policy would have done"),
      why: z.string(),
      waitsFor: z.array(z.string()),
    }),
  ),
});

/**
 * The output of `fieldgate coverage`: for each topic its groups and contracts. schemas/coverage.schema.json is
 * generated from it.
 */
export const coverageSchema = z
  .strictObject({
    complete: z
      .boolean()
      .describe(
        "The groups of every topic are known, every live group is named by a contract, and no contract is stale; the exit code is then 0",
      ),
    topics: z.array(topicSchema),
    whatIf: whatIfSchema.optional().describe("Only with --policy: what that policy would have done"),
  })
  .meta({ title: "fieldgate coverage --format json" });

export type CoverageView = DeepReadonly<z.infer<typeof coverageSchema>>;
export type TopicCoverage = DeepReadonly<z.infer<typeof topicSchema>>;

/** True if the topic's groups are known, a contract names every live one, and no contract is stale. */
export function isCovered({ lastPoll, unnamed, contracts }: TopicCoverage): boolean {
  return lastPoll.problem === null && unnamed.length === 0 && contracts.every(({ stale }) => !stale);
}
