import { answerForgotten, onCommand } from "./gate/command.ts";
import { onContract } from "./gate/contract.ts";
import { onGroups } from "./gate/groups.ts";
import { onObserved } from "./gate/observed.ts";
import { onFlip, onJudged, onRefusedRegistration } from "./gate/release.ts";
import { onReplaced } from "./gate/replaced.ts";
import { onAsk, onCaptured, onNullFound, onPassed, onSeen, onTold } from "./gate/seen.ts";
import { settleTopic } from "./gate/settle.ts";
import type { Input, Rules, State, Step, When } from "./gate/state.ts";

/** One input and what we know -> what we know now, and what to do. Pure and total. */
export function decide(rules: Rules, state: State, input: Input, when: When): Step {
  const { state: next, effects } = stepOn(rules, state, input, when);
  return { state: answerForgotten(next), effects };
}

function stepOn(rules: Rules, state: State, input: Input, when: When): Step {
  switch (input.kind) {
    case "seen":
      return onSeen(rules, state, input, when);
    case "captured":
      return onCaptured(rules, state, input.table, when);
    case "null-found":
      return onNullFound(rules, state, input, when);
    case "replaced":
      return onReplaced(rules, state, input, when);
    case "ask":
      return onAsk(rules, state, input.id, when);
    case "passed":
      return onPassed(state, input.topic, input.doubt);
    case "judged":
      return onJudged(rules, state, input, when);
    case "contract":
      return onContract(rules, state, input, when);
    case "command":
      return onCommand(rules, state, input.command, when);
    case "groups":
      return onGroups(rules, state, input.look, when);
    case "registered":
      return onFlip(rules, state, input, when);
    case "registration-refused":
      return onRefusedRegistration(state, input);
    case "observed":
      return onObserved(rules, state, input, when);
    case "settle":
      return settleTopic(rules, state, input.topic, when);
    case "told":
      return onTold(state, input);
    default:
      return input satisfies never;
  }
}
