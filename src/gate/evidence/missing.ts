import { type Contract, contractKey, unreadableContract } from "../../contract/contract.ts";
import type { TopicEvidence } from "./evidence.ts";

/**
 * The contracts that were seen on these topics before and that are no longer known: the contracts topic has lost them.
 * What they said is not known, so nothing is released until they are published again or withdrawn.
 */
export function missingContracts(
  evidence: ReadonlyMap<string, TopicEvidence>,
  environment: string,
  known: Iterable<Contract>,
): readonly Contract[] {
  const names = new Set([...known].map(contractKey));
  return [...evidence].flatMap(([topic, { contracts }]) =>
    Object.keys(contracts).flatMap((consumer) => {
      const key = contractKey({ environment, consumer, topic });
      const contract = names.has(key) ? undefined : unreadableContract(key);
      return contract === undefined ? [] : [{ ...contract, missing: true as const }];
    }),
  );
}
