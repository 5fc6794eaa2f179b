import { type Contract, topicOfKey } from "./contract.ts";

/**
 * All contracts that are known, by topic and then by key. There may be ten thousand of them, so a change of one copies
 * those of its topic, and what is computed for the others' topics remains valid.
 */
export type Contracts = ReadonlyMap<string, ReadonlyMap<string, Contract>>;

/** `undefined` withdraws the contract. */
export function withContract(before: Contracts, key: string, contract: Contract | undefined): Contracts {
  const topic = topicOfKey(key);
  const own = withOne(before.get(topic), key, contract);
  const after = new Map(before);
  if (own.size === 0) after.delete(topic);
  else after.set(topic, own);
  return after;
}

/** The contracts of one topic with this change. */
export function withOne(
  before: ReadonlyMap<string, Contract> | undefined,
  key: string,
  contract: Contract | undefined,
): ReadonlyMap<string, Contract> {
  const after = new Map(before);
  if (contract === undefined) after.delete(key);
  else after.set(key, contract);
  return after;
}

export function hasContract(contracts: Contracts, key: string): boolean {
  return contracts.get(topicOfKey(key))?.has(key) === true;
}

/** Every contract with its key. */
export function* eachContract(contracts: Contracts): Generator<readonly [key: string, contract: Contract]> {
  for (const own of contracts.values()) yield* own;
}
