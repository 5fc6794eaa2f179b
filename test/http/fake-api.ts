import type { Contract, ContractName } from "../../src/contract/contract.ts";
import { GuardError } from "../../src/errors.ts";
import type { ReleasePolicy } from "../../src/gate/decision/policy.ts";
import type { AmendmentView } from "../../src/api/amendment.ts";
import type { Api, Published, TopicView } from "../../src/api/api.ts";
import type { Command } from "../../src/api/command.ts";
import type { CoverageView } from "../../src/api/coverage.ts";
import type { OutcomeText } from "../../src/words/reason.ts";
import type { PlanView } from "../../src/api/plan.ts";
import type { DdlStep } from "../../src/migration/ddl-step.ts";

export const amendment: AmendmentView = {
  id: "inventory.public.customers/3",
  connector: "inventory",
  mode: "guard",
  topic: "inventory.public.customers",
  field: "nickname",
  kind: "added",
  changes: [],
  what: "column nickname text was added",
  meanwhile: "Events continue without the field.",
  column: { name: "nickname", type: "text", notNull: false, default: null },
  explained: null,
  gate: {
    kind: "withheld",
    since: "2026-11-20T08:00:00Z",
    position: "0/16B3748",
    reason: { kind: "not-ready", consumers: ["billing"] },
    why: "billing is not ready",
  },
  verdicts: [
    {
      consumer: "billing",
      environment: "default",
      verdict: "not-ready",
      findings: [
        {
          rule: "contract/unknown-field",
          severity: "error",
          certainty: "always",
          field: "nickname",
          message: "the consumer refuses fields it does not know",
          remedy: "name nickname under ignores or fields",
        },
      ],
    },
  ],
  groupsNotNamed: ["audit-sink"],
  refused: null,
  candidate: { schema: '{"type":"record","name":"Envelope","fields":[]}' },
  backfill: null,
  next: "fieldgate release inventory.public.customers/3",
};

/** An Api that records what it was told, and answers with what the test sets. */
export interface FakeApi extends Api {
  readonly commands: Command[];
  readonly published: Contract[];
  readonly rollingOut: Contract[];
  readonly retired: ContractName[];
  /** What a published contract is answered with. */
  answered: Omit<Published, "id">;
  /** The rest of what an amendment says, by what is asked first; the last stays. */
  changes: Partial<AmendmentView>[];
  readonly planned: (readonly DdlStep[])[];
  plans: PlanView;
  coverages: CoverageView;
  readonly policies: (ReleasePolicy | undefined)[];
  outcomes: OutcomeText[];
  topics: Map<string, TopicView>;
  fail: Error | undefined;
}

export function fakeApi(): FakeApi {
  const fake: FakeApi = {
    commands: [],
    published: [],
    rollingOut: [],
    retired: [],
    answered: { counts: { kind: "counts", connectors: ["inventory"], errors: [], withheld: [] }, otherTopics: [] },
    changes: [{}],
    planned: [],
    plans: { amendments: [], notes: [] },
    coverages: { complete: true, topics: [] },
    policies: [],
    outcomes: [{ kind: "done", message: "nickname flows from schema 7 on" }],
    topics: new Map(),
    fail: undefined,
    health: async () => ({ status: "ok", ready: true, deployment: "main", version: "0" }),
    connectors: async () => [],
    amendments: async ({ table }) => {
      if (fake.fail !== undefined) throw fake.fail;
      return table === undefined || amendment.topic.endsWith(table) ? [amendment] : [];
    },
    amendment: async (id) => {
      if (id === amendment.id || id === `${amendment.topic}.${amendment.field}`) {
        const change = fake.changes.length > 1 ? fake.changes.shift() : fake.changes[0];
        return { ...amendment, ...change };
      }
      throw new GuardError("not-found", `there is no amendment ${id}`, { next: "fieldgate amendments" });
    },
    contracts: async () => fake.published,
    publishContract: async (contract) => {
      fake.published.push(contract);
      return { id: "contract-1", ...fake.answered };
    },
    publishRollingOut: async (contract) => {
      fake.rollingOut.push(contract);
      return { id: "contract-1/1", ...fake.answered };
    },
    retireContract: async (named) => {
      fake.retired.push(named);
      return named.consumer === "nobody" ? { retired: 0, waited: [] } : { retired: 1, waited: [amendment.id] };
    },
    command: async (command, check) => {
      check(amendment.connector);
      fake.commands.push(command);
      return { id: "command-1" };
    },
    outcome: async () => (fake.outcomes.length > 1 ? fake.outcomes.shift() : fake.outcomes[0]) ?? { kind: "pending" },
    coverage: async ({ policy }) => {
      fake.policies.push(policy);
      return fake.coverages;
    },
    plan: async (steps) => {
      fake.planned.push(steps);
      return fake.plans;
    },
    topic: async (name) => {
      const topic = fake.topics.get(name);
      if (topic === undefined) throw new GuardError("not-found", `no connector publishes the topic ${name}`);
      return topic;
    },
  };
  return fake;
}
