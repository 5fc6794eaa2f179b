import type { Amendment, Answer } from "../../gate/amendment/amendment.ts";
import type { Effect, Input, TableState } from "../../gate/state.ts";
import { policyOf } from "../../gate/decision/settle.ts";
import { findAmendment } from "../../gate/update.ts";
import { answerOf, subjectOf } from "./ask-registry.ts";
import { retrying } from "../retrying.ts";
import { beside, post, type Session } from "../session.ts";

/** Delays before a registry that did not answer is asked again, in milliseconds. */
const DELAYS_MS = [500, 1000, 2000, 5000] as const;

/** Asks the registry whether it would take the amendment's candidate; the answer is an input. */
export function judgeBeside(session: Session, id: string): void {
  if (session.work.judging.has(id)) return;
  session.work.judging.add(id);
  beside(session, async () => {
    let input: Input | undefined;
    try {
      input = await untilAnswered(session, id, () => judgeOnce(session, id));
    } finally {
      session.work.judging.delete(id);
    }
    // Not before that: the answer may lead to the next question about the same amendment.
    if (input !== undefined) post(session, { input });
  });
}

/** One question; undefined when there is nothing left to ask. */
async function judgeOnce(session: Session, id: string): Promise<Input | undefined> {
  const found = findAmendment(session.state, id);
  if (found === undefined || found.amendment.gate.kind === "released") return undefined;
  if (found.amendment.kind === "table") return undefined;
  return { kind: "judged", id, answer: await askRegistry(session, found.table, found.amendment) };
}

function askRegistry(session: Session, table: TableState, amendment: Amendment): Promise<Answer> {
  const { registry, settings } = session.outside;
  return answerOf(settings, registry, table, amendment, () => {
    session.work.silent = false;
  });
}

/** Registers the candidate, reads the contracts up to now, and says so: the flip is decided after both. */
export function registerBeside(session: Session, effect: Extract<Effect, { kind: "register" }>): void {
  const { work } = session;
  const topic = findAmendment(session.state, effect.id)?.amendment.topic;
  if (topic === undefined) return;
  // The others' turn comes when this one ended: they are settled again then.
  if (work.registering.has(topic)) return;
  work.registering.set(topic, effect.id);
  beside(session, async () => {
    const input = await untilAnswered(session, effect.id, () => registerOnce(session, effect));
    post(session, { input });
  });
}

async function registerOnce(session: Session, effect: Extract<Effect, { kind: "register" }>): Promise<Input> {
  const { id, candidate } = effect;
  const found = findAmendment(session.state, id);
  const stale: Input = { kind: "registration-refused", id, hash: "", why: "" };
  const answer = found?.amendment.answer;
  if (found === undefined || answer?.kind !== "fits" || answer.candidate.hash !== candidate.hash) return stale;
  const result = await session.outside.registry.register(subjectOf(found.table, candidate), candidate.text);
  session.work.silent = false;
  if (result.kind === "refused") {
    return { kind: "registration-refused", id, hash: candidate.hash, why: `${result.status} ${result.message}` };
  }
  await session.outside.desk.readContractsToEnd();
  // Its input comes before this one: a group that has come since the last look is known at the flip.
  if (policyOf(session.outside.settings, found.table.shape.topic) === "strict") await session.outside.groups.again();
  const { table } = await session.source.table(found.table.shape.table.oid);
  const schema = { id: result.id, text: candidate.text };
  return { kind: "registered", id, hash: candidate.hash, schema, estimatedRows: table?.estimatedRows ?? -1 };
}

/** After a registration's input was dealt with: whatever else of its topic may flow has its turn. */
export function registrationEnded(session: Session, id: string): string | undefined {
  for (const [topic, registering] of session.work.registering) {
    if (registering !== id) continue;
    session.work.registering.delete(topic);
    return topic;
  }
  return undefined;
}

/**
 * Asks until the registry answers. No answer is reported as one, so that people hear about it; meanwhile rows flow
 * without the field.
 */
function untilAnswered<T extends Input | undefined>(session: Session, id: string, ask: () => Promise<T>): Promise<T> {
  const { outside, signal } = session;
  return retrying(ask, {
    now: outside.now,
    sleep: outside.sleep,
    signal,
    delaysMs: DELAYS_MS,
    fateOf: (error) => error.fateWhileJudging,
    onRetry(error, failures) {
      if (failures > 0 || findAmendment(session.state, id)?.amendment.answer !== undefined) return;
      post(session, { input: { kind: "judged", id, answer: { kind: "unanswered", why: error.message } } });
    },
  });
}

/** Is the registry asked about a withheld field of this topic just now? */
export function atWork(session: Session, topic: string): boolean {
  const { work } = session;
  return work.registering.has(topic) || [...work.judging].some((id) => id.startsWith(`${topic}/`));
}
