import type { Contracts } from "../../contract/contracts.ts";
import { type Contract, contractKey, unreadableContract } from "../../contract/contract.ts";
import type { TopicEvidence } from "./evidence.ts";
import { contractsOf } from "./readers.ts";

/**
 * The contracts that were seen on these topics before and that are no longer known: the contracts topic has lost them.
 * What they said is not known, so nothing is released until they are published again or withdrawn.
 */
export function missingContracts(
  evidence: ReadonlyMap<string, TopicEvidence>,
  environment: string,
  known: Contracts,
): readonly Contract[] {
  return [...evidence].flatMap(([topic, { contracts }]) =>
    Object.keys(contracts).flatMap((consumer) => {
      const key = contractKey({ environment, consumer, topic });
      const isKnown = contractsOf({ contracts: known }, topic).some((contract) => contractKey(contract) === key);
      const contract = isKnown ? undefined : unreadableContract(key);
      return contract === undefined ? [] : [{ ...contract, missing: true as const }];
    }),
  );
}
