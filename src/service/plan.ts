import { GuardError } from "../errors.ts";
import { type Amendment, type RegistryAnswer } from "../gate/amendment/amendment.ts";
import { describeAmendment, meanwhile } from "../words/amendment.ts";
import { insteadOfRelease } from "../words/next-step.ts";
import { renderReason } from "../words/reason.ts";
import { mayFlow } from "../gate/decision/policy.ts";
import { unnamedOn } from "../gate/evidence/readers.ts";
import { policyOf, weigh } from "../gate/decision/settle.ts";
import type { Mode, Rules, State, TableState, When } from "../gate/state.ts";
import { stopsDebezium, watched } from "../gate/watch/watched.ts";
import { ASK_REGISTRY } from "../guard/control/ask-registry.ts";
import type { PlannedAmendment, PlanView } from "../api/plan.ts";
import { type Applied, applyDdlSteps, type PlannedTable } from "../migration/apply.ts";
import type { Catalog, CatalogQuestion } from "../migration/catalog.ts";
import type { Constants, Literal } from "../migration/constant.ts";
import type { DdlStep } from "../migration/ddl-step.ts";
import type { Note } from "../migration/note.ts";
import { questionOf } from "../migration/question.ts";
import { askForEach } from "../at-once.ts";
import type { Registry } from "../registry/client.ts";
import { fullName } from "../table/quote.ts";
import { inTime, levelsOnce } from "./plan-registry.ts";

/**
 * The answer to `plan`: applies a migration's statements to each connector's tables, and judges the resulting
 * amendments as the connector would. Nothing is recorded or registered, and no one is alerted.
 */

export interface Planner {
  readonly name: string;
  readonly rules: Rules;
  readonly registry: Registry;
  readonly state: State;
  /** Opens a session with the connector's database. Without it, only the captured columns are known. */
  readonly openDatabase?: (() => Promise<PlanDatabase>) | undefined;
}

/** What a plan asks the database. Disposing it ends the session. */
export interface PlanDatabase extends AsyncDisposable {
  catalog(asked: CatalogQuestion): Promise<Catalog>;
  constants(literals: readonly Literal[]): Promise<Constants>;
}

export async function planMigration(
  planners: readonly Planner[],
  steps: readonly DdlStep[],
  now: number,
): Promise<PlanView> {
  const when: When = { position: "0/0", time: new Date(now).toISOString() };
  const applied = await Promise.all(planners.map((planner) => applyTo(planner, steps, when)));
  const due = planners.flatMap((planner, index) =>
    (applied[index]?.tables ?? []).flatMap(({ table, fresh }) => fresh.map((one) => ({ planner, table, ...one }))),
  );
  const deadline = AbortSignal.timeout(REGISTRY_MS);
  const registries = new Map(planners.map((planner) => [planner, levelsOnce(inTime(planner.registry, deadline))]));
  const amendments = await askForEach(due, async ({ planner, table, amendment, steps: causes }) => {
    const { name, rules, state, registry } = planner;
    const judged = await judge(rules, registries.get(planner) ?? registry, state, table, amendment, when);
    return { connector: name, mode: rules.mode, ...placesOf(causes), ...judged };
  });
  return { amendments, notes: distinct(known(applied.map(({ notes }) => notes))) };
}

/** What the registry has not answered by then is unknown, so that the answer is in time for the command that waits. */
const REGISTRY_MS = 25_000;

/** Asks the database what the migration's names mean, and applies the migration. */
async function applyTo(
  { rules, state, openDatabase }: Planner,
  steps: readonly DdlStep[],
  when: When,
): Promise<Pick<Applied, "tables" | "notes">> {
  if (openDatabase === undefined || steps.length === 0) return applyDdlSteps(rules, state, steps, when);
  try {
    await using database = await openDatabase();
    const catalog = await database.catalog(questionOf(steps, state));
    const first = applyDdlSteps(rules, state, steps, when, { catalog });
    if (first.asks.length === 0) return first;
    return applyDdlSteps(rules, state, steps, when, { catalog, constants: await database.constants(first.asks) });
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    const { tables, notes } = applyDdlSteps(rules, state, steps, when);
    const message = `the database could not be asked what the migration's names mean: ${error.text}`;
    const [{ line, file }] = steps as readonly [DdlStep]; // there is at least one
    return { tables, notes: [...notes, { line, file, table: undefined, message, kind: "unknown" }] };
  }
}

/** A name that a connector's database does not have matters only if no other connector's database has it. */
function known(all: readonly (readonly Note[])[]): readonly Note[] {
  const everywhere = (note: Note) =>
    all.every((notes) => notes.some((one) => one.missing === true && sentence(one) === sentence(note)));
  return all.flatMap((notes) => notes.filter((note) => note.missing !== true || everywhere(note)));
}

/** A note with its place. The name that is suggested may differ from database to database. */
function sentence({ line, file, table, message }: Note): string {
  return JSON.stringify([line, file, table, message.replace(/; did you mean .*/, "")]);
}

function placesOf(steps: PlannedTable["fresh"][number]["steps"]): Pick<PlannedAmendment, "lines" | "files"> {
  const lines = [...new Set(steps.map(({ line }) => line))];
  const files = [...new Set(steps.flatMap(({ file, line }) => (file === undefined ? [] : `${file}:${line}`)))];
  return files.length === 0 ? { lines } : { lines, files };
}

async function judge(
  rules: Rules,
  registry: Registry,
  state: State,
  table: TableState,
  planned: Amendment,
  when: When,
): Promise<Omit<PlannedAmendment, "connector" | "mode" | "lines" | "files">> {
  const answer = planned.unmapped === undefined ? await askRegistry(rules, registry, table, planned) : undefined;
  const checked = { ...planned, answer };
  const amendment = { ...checked, verdicts: weigh(rules, state, table, checked, when) };
  const { decision, stops } = FORECAST[rules.mode](rules, state, table, amendment);
  // Debezium publishes without a release.
  const instead = rules.mode === "guard" ? insteadOfRelease(amendment) : undefined;
  return {
    topic: amendment.topic,
    table: fullName(table.shape.table),
    field: amendment.column?.name ?? amendment.name,
    what: describeAmendment(amendment),
    meanwhile: meanwhile(amendment, rules.mode),
    flows: decision.kind === "flows",
    why: renderReason(decision.reason),
    stops,
    ...(instead === undefined ? {} : { instead }),
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
function distinct(notes: readonly Note[]): PlanView["notes"] {
  const shown = notes.map(({ line, file, table, message, kind, stops }) => ({
    line,
    ...(file === undefined ? {} : { file }),
    table: table ?? null,
    message,
    kind,
    ...(stops === undefined ? {} : { stops }),
  }));
  return [...new Map(shown.map((note) => [JSON.stringify(note), note])).values()];
}
