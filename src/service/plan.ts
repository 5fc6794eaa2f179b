import { GuardError } from "../errors.ts";
import { type Amendment, type RegistryAnswer } from "../gate/amendment/amendment.ts";
import { describeAmendment, meanwhile } from "../words/amendment.ts";
import { renderReason } from "../words/reason.ts";
import { mayFlow } from "../gate/decision/policy.ts";
import { unnamedOn } from "../gate/evidence/readers.ts";
import { policyOf, weigh } from "../gate/decision/settle.ts";
import type { Mode, Rules, State, TableState, When } from "../gate/state.ts";
import { stopsDebezium, watched } from "../gate/watch/watched.ts";
import { ASK_REGISTRY } from "../guard/control/ask-registry.ts";
import type { PlannedAmendment, PlanView } from "../api/plan.ts";
import { applyDdlSteps } from "../migration/apply.ts";
import type { DdlStep } from "../migration/ddl-step.ts";
import type { Registry } from "../registry/client.ts";
import { fullName } from "../table/quote.ts";

/**
 * The answer to `plan`: applies a migration's statements to each connector's tables, and judges the resulting
 * amendments as the connector would. Nothing is recorded or registered, and no one is alerted.
 */

export interface Planner {
  readonly name: string;
  readonly rules: Rules;
  readonly registry: Registry;
  readonly state: State;
}

export async function planMigration(
  planners: readonly Planner[],
  steps: readonly DdlStep[],
  now: number,
): Promise<PlanView> {
  const when: When = { position: "0/0", time: new Date(now).toISOString() };
  const amendments: PlannedAmendment[] = [];
  const notes: PlanView["notes"][number][] = [];
  for (const { name, rules, registry, state } of planners) {
    const applied = applyDdlSteps(rules, state, steps, when);
    notes.push(...applied.notes.map((note) => ({ ...note, table: note.table ?? null })));
    for (const { table, fresh } of applied.tables) {
      for (const { amendment, lines } of fresh) {
        const judged = await judge(rules, registry, state, table, amendment, when);
        amendments.push({ connector: name, mode: rules.mode, lines, ...judged });
      }
    }
  }
  return { amendments, notes: distinct(notes) };
}

async function judge(
  rules: Rules,
  registry: Registry,
  state: State,
  table: TableState,
  planned: Amendment,
  when: When,
): Promise<Omit<PlannedAmendment, "connector" | "mode" | "lines">> {
  const answer = planned.unmapped === undefined ? await askRegistry(rules, registry, table, planned) : undefined;
  const checked = { ...planned, answer };
  const amendment = { ...checked, verdicts: weigh(rules, state, table, checked, when) };
  const { decision, stops } = FORECAST[rules.mode](rules, state, table, amendment);
  return {
    topic: amendment.topic,
    table: fullName(table.shape.table),
    field: amendment.column?.name ?? amendment.name,
    what: describeAmendment(amendment),
    meanwhile: meanwhile(amendment, rules.mode),
    flows: decision.kind === "flows",
    why: renderReason(decision.reason),
    stops,
    verdicts: amendment.verdicts,
    schema: answer?.kind === "fits" ? answer.candidate.text : null,
  };
}

/** Predicts what would happen to the amendment, and whether rows would stop because of it. */
const FORECAST: Readonly<
  Record<Mode, (rules: Rules, state: State, table: TableState, amendment: Amendment) => Forecast>
> = {
  guard: (rules, state, table, amendment) => {
    const unnamed = unnamedOn(rules, state, amendment.topic);
    const policy = policyOf(rules, amendment.topic);
    const decision = mayFlow(policy, amendment, table.shape.key.length === 0, unnamed);
    return { decision, stops: decision.kind === "waits" && stopsRows(amendment) };
  },
  watch: (_rules, _state, _table, amendment) => ({
    decision: watched(amendment),
    stops: stopsDebezium(amendment),
  }),
};

interface Forecast {
  readonly decision: ReturnType<typeof mayFlow>;
  readonly stops: boolean;
}

/** True for a new key or a replacement table, because rows of these cannot be published in the current shape. */
function stopsRows({ kind }: Amendment): boolean {
  return kind === "key" || kind === "table";
}

/**
 * Asks the registry about the candidate. If it does not answer, the field waits for that reason and no contract is
 * judged.
 */
async function askRegistry(
  rules: Rules,
  registry: Registry,
  table: TableState,
  amendment: Amendment,
): Promise<RegistryAnswer> {
  try {
    return await ASK_REGISTRY[rules.mode](rules, registry, table, amendment);
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    return { kind: "unanswered", code: error.code, text: error.text };
  }
}

/** Keeps one note per statement if several connectors do not understand it. */
function distinct(notes: PlanView["notes"]): PlanView["notes"] {
  return [...new Map(notes.map((note) => [JSON.stringify(note), note])).values()];
}
