import type { Contract } from "../contract/contract.ts";
import { settle } from "./settle.ts";
import type { Rules, State, Step, When } from "./state.ts";
import { andThen, step, withheldOf } from "./update.ts";

/** A contract was published, replaced or withdrawn: what waits on its topic is judged anew. Never closes a gate. */
export function onContract(
  rules: Rules,
  state: State,
  { key, contract }: { readonly key: string; readonly contract: Contract | undefined },
  when: When,
): Step {
  const contracts = new Map(state.contracts);
  const topics = new Set([contracts.get(key)?.topic, contract?.topic]);
  if (contract === undefined) contracts.delete(key);
  else contracts.set(key, contract);
  const waiting = [...state.tables.values()].filter((table) => topics.has(table.shape.topic)).flatMap(withheldOf);
  return waiting.reduce(
    (before, { id }) => andThen(before, (now) => settle(rules, now, id, when)),
    step({ ...state, contracts }),
  );
}
