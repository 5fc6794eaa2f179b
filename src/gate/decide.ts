import { withContract } from "../contract/contracts.ts";
import { answerForgotten, onCommand } from "./decision/command.ts";
import { onGroups } from "./evidence/groups.ts";
import { onObserved } from "./watch/observed.ts";
import { onAwaitedRegistration, onFlip, onJudged, onRefusedRegistration } from "./decision/release.ts";
import { onGapReported, onSent } from "./amendment/gap.ts";
import { onReplaced, onReplacedOver, onReplacementRows } from "./amendment/replaced.ts";
import {
  onAsk,
  onCaptured,
  onLabelsPublished,
  onNullFound,
  onPassed,
  onSeen,
  onAlerted,
  onUndescribed,
} from "./amendment/seen.ts";
import { onParked, onParkReported, onReplayed, onUnparked } from "./parking/park.ts";
import { settleTopic, settle } from "./decision/settle.ts";
import { onJobStuck, onPoison } from "./on-poison.ts";
import type { Input, Rules, State, Decided, When } from "./state.ts";
import { type Contract, topicOfKey } from "../contract/contract.ts";
import { andThen, step, withheldOf } from "./update.ts";

/** Applies one input to the state. Returns the next state, and what to do about it. Pure and total. */
export function decide(rules: Rules, state: State, input: Input, when: When): Decided {
  const { state: next, effects } = stepOn(rules, state, input, when);
  return { state: answerForgotten(next), effects };
}

function stepOn(rules: Rules, state: State, input: Input, when: When): Decided {
  switch (input.kind) {
    case "seen":
      return onSeen(rules, state, input, when);
    case "captured":
      return onCaptured(rules, state, input, when);
    case "null-found":
      return onNullFound(rules, state, input, when);
    case "replaced":
      return onReplaced(rules, state, input, when);
    case "replaced-over":
      return onReplacedOver(state, input.topic);
    case "replacement-rows":
      return onReplacementRows(state, input.topic, input.rows);
    case "sent":
      return onSent(rules, state, input, when);
    case "gap-reported":
      return onGapReported(state, input);
    case "parked":
      return onParked(state, input, when);
    case "replayed":
      return onReplayed(state, input);
    case "unparked":
      return onUnparked(rules, state, input, when);
    case "park-reported":
      return onParkReported(state, input);
    case "job-stuck":
      return onJobStuck(state, input);
    case "ask":
      return onAsk(rules, state, input.id, when);
    case "passed":
      return onPassed(state, input.topic, input.doubt);
    case "undescribed":
      return onUndescribed(state, input.topic);
    case "labels-published":
      return onLabelsPublished(state, input);
    case "judged":
      return onJudged(rules, state, input, when);
    case "contract":
      return onContract(rules, state, input, when);
    case "command":
      return onCommand(rules, state, input.command, when);
    case "groups":
      return onGroups(rules, state, input.poll, when);
    case "registered":
      return onFlip(rules, state, input, when);
    case "registration-refused":
      return onRefusedRegistration(state, input);
    case "registration-awaited":
      return onAwaitedRegistration(state, input);
    case "observed":
      return onObserved(rules, state, input, when);
    case "settle":
      return settleTopic(rules, state, input.topic, when);
    case "alerted":
      return onAlerted(state, input);
    case "poisoned":
    case "row-stuck":
    case "row-passed":
    case "poison-reported":
      return onPoison(state, input, when);
    default:
      return input satisfies never;
  }
}

/**
 * A contract was published, replaced or withdrawn, so what is withheld on its topic is judged again. Never closes a
 * gate.
 */
function onContract(
  rules: Rules,
  state: State,
  { key, contract }: { readonly key: string; readonly contract: Contract | undefined },
  when: When,
): Decided {
  const contracts = withContract(state.contracts, key, contract);
  const table = state.tables.get(topicOfKey(key));
  const waiting = table === undefined ? [] : withheldOf(table);
  return waiting.reduce(
    (before, { id }) => andThen(before, (now) => settle(rules, now, id, when)),
    step({ ...state, contracts }),
  );
}
