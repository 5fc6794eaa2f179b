import { unreadableContract } from "../../contract/contract.ts";
import { GuardError } from "../../errors.ts";
import { decide } from "../../gate/decide.ts";
import { commandFailed } from "../../gate/decision/command.ts";
import type { Decided, Input, Rules, State, When } from "../../gate/state.ts";

/**
 * What to do when an unexpected error ends the work on one thing that came from outside: a contract, a
 * command, a registry's answer, or a poll of the consumer groups. That one thing is then unknown, and unknown releases
 * nothing. The loop and everything else continue.
 */

/**
 * Decides that what came with the input is unknown; undefined if the input came from the database or from ourselves.
 */
export function decideUnknown(rules: Rules, state: State, input: Input, when: When): Decided | undefined {
  if (input.kind === "command") return commandFailed(state, input.command.id);
  const unknown = unknownInput(input);
  return unknown && decide(rules, state, unknown, when);
}

/** The input to decide on instead, which says that it is unknown. */
function unknownInput(input: Input): Input | undefined {
  switch (input.kind) {
    case "contract": {
      const { key, contract } = input;
      if (contract === undefined || contract.unreadable === true) return undefined;
      const unreadable = unreadableContract(key);
      return unreadable && { kind: "contract", key, contract: unreadable };
    }
    case "judged":
      if (input.answer.kind === "unanswered") return undefined;
      return { ...input, answer: { kind: "unanswered", code: "registry-down", text: UNEXPECTED } };
    case "registered":
      return { kind: "registration-refused", id: input.id, hash: input.hash, text: UNEXPECTED };
    case "observed":
      return { kind: "settle", topic: input.topic };
    case "groups":
      if (input.poll.kind === "unknown") return undefined;
      return { kind: "groups", poll: { kind: "unknown", why: UNEXPECTED, at: input.poll.at } };
    default:
      return undefined;
  }
}

const UNEXPECTED = "Fieldgate could not process the answer: see the service's log";

/** An unexpected error while the registry was asked, as an error after which it is asked again. */
export function unansweredOn(error: unknown): GuardError {
  if (error instanceof GuardError && error.code !== "schema-invalid") return error;
  return new GuardError("registry-down", `${UNEXPECTED} (${describeUnexpected(error)})`, { cause: error });
}

/**
 * The error's name, and the place in the code. Its message is left out, because it may quote a value or a text from
 * outside.
 */
export function describeUnexpected(error: unknown): string {
  if (error instanceof GuardError) return error.message;
  if (!(error instanceof Error)) return "unexpected error";
  const place = /^ +at (\S+) .*?([\w-]+\.[jt]s:\d+)/m.exec(error.stack ?? "");
  return place === null ? `unexpected ${error.name}` : `unexpected ${error.name} in ${place[1]}, ${place[2]}`;
}
