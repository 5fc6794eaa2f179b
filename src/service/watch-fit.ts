import { eachContract, hasContract } from "../contract/contracts.ts";
import type { Contract } from "../contract/contract.ts";
import { dayOf } from "../contract/severity.ts";
import type { Finding } from "../finding.ts";
import { withheldOf } from "../gate/update.ts";
import type { Log, Notice } from "../guard/outside.ts";
import type { RegisteredSchema } from "../table/shape.ts";
import { fitsNews, unfitNews } from "../words/fit.ts";
import { errorsAgainst } from "./counts.ts";
import { lookEvery } from "./look-every.ts";
import type { FitMemory } from "./reported-fit.ts";
import type { CurrentState } from "./running.ts";

/**
 * Contracts that are not ready for what flows already, for example because they were published late or because a field
 * was released although they were not ready. Gates never close again, so all that can be done is to alert the team: once
 * when it begins, once per change of the findings, and once when it is over.
 */

const LOOK_EVERY_MS = 2000;
/** Judging thousands of contracts at once would hold up the stream. The rest waits for the next look. */
const JUDGE_FOR_MS = 30;

export interface FitReports {
  /** undefined until the connector has read its state and the contracts. */
  readonly current: () => CurrentState | undefined;
  readonly log: Log;
  readonly alert: (notice: Notice) => Promise<void>;
  readonly memory: FitMemory;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What a verdict was computed from. If none of it has changed, neither has the verdict. */
interface Basis {
  readonly contract: Contract;
  readonly schema: RegisteredSchema;
  readonly withheld: string;
  readonly day: string;
}

/** undefined: the connector does not publish the contract's topic in its environment, or nothing is known of it. */
function basisOf({ rules, state }: CurrentState, contract: Contract, day: string): Basis | undefined {
  const table = state.tables.get(contract.topic);
  const isAsked = contract.environment === rules["fieldgate.environment"] && contract.unreadable !== true;
  if (table === undefined || table.unpublished === true || !isAsked) return undefined;
  const withheld = withheldOf(table).map(({ name, column }) => column?.name ?? name);
  return { contract, schema: table.shape.valueSchema, withheld: withheld.join(), day };
}

function isSame(left: Basis | undefined, right: Basis): boolean {
  return (
    left?.contract === right.contract &&
    left.schema === right.schema &&
    left.withheld === right.withheld &&
    left.day === right.day
  );
}

/** Rewording a finding does not change it. */
function identityOf(errors: readonly Finding[]): string {
  return [...new Set(errors.map(({ rule, field }) => `${rule} ${field ?? ""}`))].toSorted().join("\n");
}

/** undefined if an unexpected error leaves the verdict on this contract unknown. The others are judged all the same. */
function errorsOrUnknown(state: CurrentState, contract: Contract, now: number): readonly Finding[] | undefined {
  try {
    return errorsAgainst(state, contract, now);
  } catch {
    return undefined;
  }
}

export function watchFit(reports: FitReports): Disposable {
  return lookEvery(LOOK_EVERY_MS, fitWatch(reports));
}

/** Returns a function that looks once. It never rejects. */
export function fitWatch({ current, log, alert, memory, now }: FitReports): () => Promise<void> {
  let known: Map<string, string> | undefined;
  const judged = new Map<string, Basis>();

  function report(key: string, contract: Contract, errors: readonly Finding[]): void {
    const before = known?.get(key);
    const after = errors.length === 0 ? undefined : identityOf(errors);
    if (before === after) return;
    const news = after === undefined ? { what: fitsNews(contract), next: undefined } : unfitNews(contract, errors);
    const { what, next } = news;
    if (next === undefined) log.info(what);
    else log.warn(`${what}; next: ${next}`);
    const severity = after === undefined ? "info" : "warn";
    if (after === undefined) known?.delete(key);
    else known?.set(key, after);
    const id = `contract/${key}/${after ?? "fits"}/${now()}`;
    const about = after === undefined ? "contract-fits" : "contract";
    void alert({ id, about, severity, what, next, owner: contract.owner }).then(() => remember(key, after));
  }

  /** If it cannot be remembered, it is reported again after a restart. */
  async function remember(key: string, errors: string | undefined): Promise<void> {
    await memory.write(key, errors).catch(() => log.info(`what was reported about contract ${key} was not recorded`));
  }

  return async () => {
    const state = current();
    if (state === undefined) return;
    known ??= await memory.read().then(
      (read) => new Map(read),
      () => undefined,
    );
    if (known === undefined) return;
    const begun = now();
    const day = dayOf(new Date(begun).toISOString());
    for (const [key, contract] of eachContract(state.state.contracts)) {
      const basis = basisOf(state, contract, day);
      if (basis === undefined || isSame(judged.get(key), basis)) continue;
      judged.set(key, basis);
      const errors = errorsOrUnknown(state, contract, begun);
      if (errors !== undefined) report(key, contract, errors);
      if (now() - begun > JUDGE_FOR_MS) return;
    }
    const isGone = (key: string) => !hasContract(state.state.contracts, key);
    for (const key of [...judged.keys()].filter(isGone)) judged.delete(key);
    for (const key of [...known.keys()].filter(isGone)) {
      known.delete(key);
      await remember(key, undefined);
    }
  };
}
