import { type Contract, topicOfKey } from "./contract.ts";

/**
 * All contracts that are known, by topic and then by key. There may be ten thousand of them, so a change of one copies
 * those of its topic, and what is computed for the others' topics remains valid.
 */
export type Contracts = ReadonlyMap<string, ReadonlyMap<string, Contract>>;

/** `undefined` withdraws the contract. */
export function withContract(before: Contracts, key: string, contract: Contract | undefined): Contracts {
  const after = new Map(before);
  setContract(after, key, contract);
  return after;
}

/** The same in place. The contracts of the topic are copied, so what was taken from the map before remains as it was. */
export function setContract(
  contracts: Map<string, ReadonlyMap<string, Contract>>,
  key: string,
  contract: Contract | undefined,
): void {
  const topic = topicOfKey(key);
  const own = new Map(contracts.get(topic));
  if (contract === undefined) own.delete(key);
  else own.set(key, contract);
  if (own.size === 0) contracts.delete(topic);
  else contracts.set(topic, own);
}

export function hasContract(contracts: Contracts, key: string): boolean {
  return contracts.get(topicOfKey(key))?.has(key) === true;
}

/** Every contract with its key. */
export function* eachContract(contracts: Contracts): Generator<readonly [key: string, contract: Contract]> {
  for (const own of contracts.values()) yield* own;
}
