import { type Contract, contractKey } from "../../src/contract/contract.ts";
import { type Contracts, withContract } from "../../src/contract/contracts.ts";

/** These contracts, as the contracts topic has them. */
export function known(...contracts: readonly Contract[]): Contracts {
  return contracts.reduce<Contracts>((all, one) => withContract(all, contractKey(one), one), new Map());
}
