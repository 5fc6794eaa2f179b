import * as z from "zod";
import { RELEASE_POLICIES } from "../gate/decision/policy.ts";
import type { DeepReadonly } from "../json.ts";
import { findingSchema, modeWord } from "./amendment.ts";

export const releasePolicy = z.enum(RELEASE_POLICIES);

const time = z.iso.datetime().nullable();
const age = z.int().min(0).nullable();
const count = z.int().min(0);

const groupSchema = z.strictObject({
  group: z.string(),
  live: z.boolean().describe("It has members, or its committed offsets moved within fieldgate.groups.seen"),
  members: count.nullable().describe("Subscribed to the topic now; null: its protocol hides them (KIP-848)"),
  read: time.describe("When it was last seen with members, or with offsets that had moved"),
  readSecondsAgo: age,
  moved: time.describe("When its offsets were last seen to have moved"),
  namedBy: z.array(z.string()).describe("Consumers whose contract on the topic names it"),
  announced: z
    .array(
      z.strictObject({
        fingerprint: z.string().describe("Of the schema that members say they read with"),
        members: count,
        consumers: z.array(z.string()).describe("Consumers whose contract has that schema; none: no match"),
      }),
    )
    .describe("What members that use fieldgate/consumer announce"),
});

const contractSchema = z.strictObject({
  consumer: z.string(),
  groups: z.array(z.string()).describe("Group ids that count as the consumer's"),
  versions: count.describe("More than 1: a version is being rolled out"),
  since: time.describe("Since which look the contract is there"),
  read: time.describe("When one of its groups was last seen reading; null: never"),
  readSecondsAgo: age,
  stale: z.boolean().describe("None of its groups was seen for fieldgate.contracts.stale"),
  findings: z.array(findingSchema).describe("What evidence says against it"),
});

const topicSchema = z.strictObject({
  connector: z.string(),
  topic: z.string(),
  environment: z.string().describe("Whose contracts count: the connector's fieldgate.environment"),
  mode: modeWord,
  policy: releasePolicy.describe("While watching it decides nothing"),
  looked: z.strictObject({
    at: time.describe("The last look that was possible; null: none yet"),
    secondsAgo: age,
    problem: z.string().nullable().describe("Why who reads the topic is not known now"),
  }),
  groups: z.array(groupSchema),
  contracts: z.array(contractSchema),
  unnamed: z.array(z.string()).describe("Live groups that no contract names"),
});

const whatIfSchema = z.strictObject({
  policy: releasePolicy,
  note: z.string().describe("What this cannot tell"),
  amendments: z.array(
    z.strictObject({
      id: z.string(),
      field: z.string(),
      gate: z.enum(["withheld", "released"]).describe("As it is"),
      would: z.enum(["flows", "waits", "unknown"]).describe("Under the policy asked about"),
      why: z.string(),
      waitsFor: z.array(z.string()),
    }),
  ),
});

/** `fieldgate coverage`: topic by group by contract. schemas/coverage.schema.json is made from it. */
export const coverageSchema = z
  .strictObject({
    complete: z
      .boolean()
      .describe("Every topic was looked at, every live group is named by a contract, none is stale: exit code 0"),
    topics: z.array(topicSchema),
    whatIf: whatIfSchema.optional().describe("With --policy: what another policy would have done"),
  })
  .meta({ title: "fieldgate coverage --format json" });

export type CoverageView = DeepReadonly<z.infer<typeof coverageSchema>>;
export type TopicCoverage = DeepReadonly<z.infer<typeof topicSchema>>;
