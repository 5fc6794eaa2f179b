import { policyOf } from "../../gate/decision/settle.ts";
import type { Effect, Input } from "../../gate/state.ts";
import { findAmendment } from "../../gate/update.ts";
import { oncePer } from "../../once.ts";
import { fateWhileJudging, retrying } from "../retrying.ts";
import { inBackground, type Parts, post, type RegistryWork } from "../session.ts";
import { subjectOf } from "./ask-registry.ts";

/**
 * What the gate asks of the registry: would it take an amendment's candidate (judging), and take it now (registering).
 * Both run in the background, for as long as it takes; their answers are inputs. A registry that does not answer
 * withholds fields and never rows.
 */

/** Delays before a registry that did not answer is asked again, in milliseconds. */
const DELAYS_MS = [500, 1000, 2000, 5000] as const;

/** Asks whether the registry would take the amendment's candidate. */
export function judgeInBackground(session: Parts<"control">, id: string): void {
  const { judging } = session.control.work;
  if (judging.has(id)) return;
  judging.add(id);
  inBackground(session, async () => {
    let input: Input | undefined;
    try {
      input = await untilAnswered(session, id, () => judge(session, id));
    } finally {
      judging.delete(id);
    }
    // Only now: the answer may lead to the next question about the same amendment.
    if (input !== undefined) post(session, { input });
  });
}

/** undefined: there is nothing left to ask. */
async function judge({ control, outside }: Parts<"control">, id: string): Promise<Input | undefined> {
  const found = findAmendment(control.state, id);
  if (found === undefined || found.amendment.gate.kind === "released") return undefined;
  if (found.amendment.kind === "table") return undefined;
  const turns = turnsOf(control.work);
  await turns.take();
  try {
    const now = findAmendment(control.state, id);
    if (now === undefined || now.amendment.gate.kind === "released") return undefined;
    const answer = await outside.askRegistry(now.table, now.amendment, () => {
      control.work.silent = false;
    });
    return { kind: "judged", id, answer };
  } finally {
    turns.give();
  }
}

/** So many questions about candidates run at once: after a restart there is one for every withheld field. */
const AT_ONCE = 8;

/** The latest comes first: a row waits for it. */
const turnsOf = oncePer((_work: RegistryWork) => {
  const waiting: (() => void)[] = [];
  let free = AT_ONCE;
  return {
    async take(): Promise<void> {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
    },
    give(): void {
      const next = waiting.pop();
      if (next === undefined) free += 1;
      else next();
    },
  };
});

type Register = Extract<Effect, { kind: "register" }>;

/** Registers the candidate, then reads the contracts up to now: the flip is decided after both. */
export function registerInBackground(session: Parts<"control">, effect: Register): void {
  const { work, state } = session.control;
  const topic = findAmendment(state, effect.id)?.amendment.topic;
  // One at a time: the others of its topic are settled again when this one has ended.
  if (topic === undefined || work.registering.has(topic)) return;
  work.registering.set(topic, effect.id);
  inBackground(session, async () => {
    const input = await untilAnswered(session, effect.id, () => register(session, effect));
    post(session, { input });
  });
}

async function register({ control, outside, source }: Parts<"control">, { id, candidate }: Register): Promise<Input> {
  const found = findAmendment(control.state, id);
  const stale: Input = { kind: "registration-refused", id, hash: "", text: "" };
  const answer = found?.amendment.answer;
  if (found === undefined || answer?.kind !== "fits" || answer.candidate.hash !== candidate.hash) return stale;
  const { topic, table } = found.table.shape;
  const result = await outside.registry.register(subjectOf(found.table, candidate), candidate.text);
  control.work.silent = false;
  if (result.kind === "refused") {
    return { kind: "registration-refused", id, hash: candidate.hash, text: `${result.status} ${result.message}` };
  }
  await outside.controlTopics.readContractsToEnd();
  // The poll's input precedes this one: a group that appeared since the last poll is known at the flip.
  if (policyOf(outside.settings, topic) === "strict") await outside.groups.again();
  const read = await source.table(table.oid);
  const schema = { id: result.id, text: candidate.text };
  return { kind: "registered", id, hash: candidate.hash, schema, estimatedRows: read.table?.estimatedRows ?? -1 };
}

/** Frees the topic of this registration, whose input was applied; returns the topic, whose other amendments may go next. */
export function registrationEnded({ registering }: RegistryWork, id: string): string | undefined {
  for (const [topic, registered] of registering) {
    if (registered !== id) continue;
    registering.delete(topic);
    return topic;
  }
  return undefined;
}

/** Asks until the registry answers. That it did not answer is reported once, so that people hear about it. */
function untilAnswered<T extends Input | undefined>(
  session: Parts<"control">,
  id: string,
  ask: () => Promise<T>,
): Promise<T> {
  const { outside, signal, control } = session;
  return retrying(ask, {
    now: outside.now,
    sleep: outside.sleep,
    signal,
    delaysMs: DELAYS_MS,
    fateOf: fateWhileJudging,
    onRetry(error, failures) {
      if (failures > 0 || findAmendment(control.state, id)?.amendment.answer !== undefined) return;
      post(session, {
        input: { kind: "judged", id, answer: { kind: "unanswered", code: error.code, text: error.text } },
      });
    },
  });
}

/** Is the registry being asked about a withheld field of this topic? */
export function isAsked({ registering, judging }: RegistryWork, topic: string): boolean {
  return registering.has(topic) || [...judging].some((id) => id.startsWith(`${topic}/`));
}
