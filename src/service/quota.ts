import type { Contract } from "../contract/contract.ts";
import { GuardError } from "../errors.ts";
import { oncePer } from "../once.ts";

/**
 * How much one consumer may keep in the contracts topic, and one connector in the commands topic. All contracts stay in
 * memory for as long as they count, and commands until their connector has answered them, so a token for one consumer
 * must not be able to fill the service.
 */

/** A schema of a wide table has a few hundred kilobytes, and most consumers read fewer than a hundred topics. */
const MAX_CONTRACTS = 1000;
const MAX_CHARACTERS = 16_000_000;
const MAX_GROUPS = 500;
const MAX_COMMANDS = 1000;

/** Computed once, because a consumer's other contracts rarely change. */
const sizeOf = oncePer((contract: Contract) => JSON.stringify(contract).length);

/**
 * `others`: the contracts of the same consumer, in all environments, that remain beside this one.
 * @throws GuardError refused if the consumer would have more than it may
 */
export function checkContractQuota(contract: Contract, others: readonly Contract[]): void {
  const { consumer, groups = [] } = contract;
  if (groups.length > MAX_GROUPS) throw refused(`${consumer} names more than ${MAX_GROUPS} groups`);
  if (others.length >= MAX_CONTRACTS) throw refused(`${consumer} already has ${others.length} contracts`);
  const size = [contract, ...others].reduce((sum, one) => sum + sizeOf(one), 0);
  if (size > MAX_CHARACTERS) {
    throw refused(`the contracts of ${consumer} would have ${size} characters, of ${MAX_CHARACTERS} that it may have`);
  }
}

function refused(why: string): GuardError {
  return new GuardError("refused", `${why}, so nothing was published`, {
    next: "retire the contracts that the consumer no longer needs: fieldgate retire --topic TOPIC --env ENV",
  });
}

/** @throws GuardError refused if too many commands wait for the connector */
export function checkCommandQuota(connector: string, waiting: number): void {
  if (waiting < MAX_COMMANDS) return;
  throw new GuardError("refused", `${waiting} commands wait for connector ${connector}, so this one was not accepted`, {
    next: "see with `fieldgate amendments` whether the connector runs, and send the command again later",
  });
}
