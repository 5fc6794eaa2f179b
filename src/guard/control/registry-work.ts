import { policyOf } from "../../gate/decision/settle.ts";
import type { Effect, Input, State, TableState } from "../../gate/state.ts";
import { findAmendment, withheldOf } from "../../gate/update.ts";
import { GuardError } from "../../errors.ts";
import { oncePer } from "../../once.ts";
import type { Registration, Registry } from "../../registry/client.ts";
import { fateWhileJudging, retrying } from "../retrying.ts";
import { inBackground, type Parts, post, type RegistryWork } from "../session.ts";
import { subjectOf } from "./ask-registry.ts";
import { unansweredOn } from "./unexpected.ts";
import { registerChecked } from "./register.ts";

/**
 * The gate's requests to the registry: to say whether it would accept an amendment's candidate (judging), and to
 * register the candidate (registering). Both run in the background for as long as they take, and their answers become
 * inputs. A registry that does not answer holds back fields, but never rows.
 */

export function noRegistryWork(): RegistryWork {
  return {
    judging: new Set(),
    registering: new Map(),
    awaited: new Set(),
    askingAgain: false,
    silent: false,
    blind: false,
  };
}

/** Delays before asking a registry that did not answer again, in milliseconds. */
const DELAYS_MS = [500, 1000, 2000, 5000] as const;

/** Asks whether the registry would accept the amendment's candidate. */
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
    // Posted only now, because the answer may lead to the next question about the same amendment.
    if (input !== undefined) post(session, { input });
    if (input?.kind === "judged" && input.answer.kind === "refused") askAboutRefused(session);
  });
}

/** Asks once. Returns undefined if there is nothing left to ask. */
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

/** Pause between two rounds of questions about what the registry has refused. */
const REFUSED_MS = 10_000;

/**
 * Asks again about each amendment that the registry has refused, one after the other, until there is none: somebody may
 * lower the subject's level or remove a version from it. Only a different kind of answer becomes an input.
 */
function askAboutRefused(session: Parts<"control">): void {
  const { outside, control, signal } = session;
  const { work } = control;
  if (work.askingAgain) return;
  work.askingAgain = true;
  inBackground(session, async () => {
    for (;;) {
      await outside.sleep(REFUSED_MS, signal);
      const refused = refusedOf(control.state);
      if (refused.length === 0) break;
      for (const id of refused) {
        if (work.judging.has(id)) continue;
        const input = await judge(session, id).catch(ignoreSilence);
        if (input?.kind === "judged" && input.answer.kind !== "refused") post(session, { input });
        signal.throwIfAborted();
      }
    }
    work.askingAgain = false;
  });
}

/** A candidate that was refused only when it was registered is left out: a command asks about it again. */
function refusedOf({ tables }: State): readonly string[] {
  const waiting = [...tables.values()].flatMap(withheldOf);
  return waiting
    .filter(({ answer, notTaken }) => answer?.kind === "refused" && notTaken === undefined)
    .map(({ id }) => id);
}

/** A registry that does not answer now is asked again in the next round. */
function ignoreSilence(error: unknown): undefined {
  if (fateWhileJudging(unansweredOn(error)) === "stop") throw error;
}

/** Maximum number of concurrent registry checks. After a restart there is one for every withheld field. */
const AT_ONCE = 8;

/** Limits the checks that run at once. The latest goes first, because a row is waiting for it. */
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

/** Registers the candidate, then reads the contracts to their current end. The flip is decided after both. */
export function registerInBackground(session: Parts<"control">, effect: Register): void {
  const { work, state } = session.control;
  const topic = findAmendment(state, effect.id)?.amendment.topic;
  // Only one at a time. The topic's other amendments are settled again when this registration has ended.
  if (topic === undefined || work.registering.has(topic) || work.awaited.has(effect.id)) return;
  work.registering.set(topic, effect.id);
  inBackground(session, async () => {
    let attempts = 0;
    const input = await untilAnswered(session, effect.id, () => register(session, effect, (attempts += 1) > 1));
    post(session, { input });
    if (input.kind === "registration-awaited") await lookAgain(session, effect.id, topic);
  });
}

/** How soon a schema that somebody else has registered is found. */
const AWAITED_MS = 2000;

async function lookAgain(session: Parts<"control">, id: string, topic: string): Promise<void> {
  const { outside, control, signal } = session;
  control.work.awaited.add(id);
  await outside.sleep(AWAITED_MS, signal);
  control.work.awaited.delete(id);
  post(session, { input: { kind: "settle", topic } });
}

/** `isRepeated`: a registry that does not answer is not waited for any longer, so that people learn of it. */
async function register(
  { control, outside, source }: Parts<"control">,
  { id, candidate }: Register,
  isRepeated: boolean,
): Promise<Input> {
  const found = findAmendment(control.state, id);
  const stale: Input = { kind: "registration-refused", id, hash: "", text: "" };
  const answer = found?.amendment.answer;
  if (found === undefined || answer?.kind !== "fits" || answer.candidate.hash !== candidate.hash) return stale;
  const { topic, table } = found.table.shape;
  const subject = subjectOf(found.table, candidate);
  const result = await registerOrWait(outside.registry, subject, candidate.text, isRepeated);
  control.work.silent &&= result.kind === "absent" && result.isSilent === true;
  if (result.kind === "absent") {
    return { kind: "registration-awaited", id, hash: candidate.hash, subject, text: result.text };
  }
  if (result.kind === "refused") {
    return { kind: "registration-refused", id, hash: candidate.hash, text: `${result.status} ${result.message}` };
  }
  await outside.controlTopics.readContractsToEnd();
  // The poll's input comes before this one, so a group that appeared since the last poll is known at the flip.
  if (policyOf(outside.settings, topic) === "strict") await outside.groups.again();
  const read = await source.table(table.oid);
  const schema = { id: result.id, text: candidate.text };
  return { kind: "registered", id, hash: candidate.hash, schema, estimatedRows: read.table?.estimatedRows ?? -1 };
}

/** `text`: why it could not be registered. `isSilent`: the registry did not answer. */
type Awaited = { readonly kind: "absent"; readonly text?: string; readonly isSilent?: true };

/**
 * A schema that this registry user may not register is waited for, like one that somebody else has to register anyway.
 * So is one whose registration has failed twice, although the registry has answered the question about it.
 */
async function registerOrWait(
  registry: Registry,
  subject: string,
  text: string,
  isRepeated: boolean,
): Promise<Exclude<Registration, { readonly kind: "absent" }> | Awaited> {
  try {
    return await registerChecked(registry, subject, text);
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    if (error.code === "registry-refused") return { kind: "absent", text: error.text };
    if (error.code === "registry-down" && isRepeated) return { kind: "absent", text: error.text, isSilent: true };
    throw error;
  }
}

/** Removes a registration whose input was applied. Returns its topic, whose other amendments may be registered next. */
export function registrationEnded({ registering }: RegistryWork, id: string): string | undefined {
  for (const [topic, registered] of registering) {
    if (registered !== id) continue;
    registering.delete(topic);
    return topic;
  }
  return undefined;
}

/** Asks until the registry answers. The first missing answer becomes an input, so that people are alerted once. */
function untilAnswered<T extends Input | undefined>(
  session: Parts<"control">,
  id: string,
  ask: () => Promise<T>,
): Promise<T> {
  const { outside, signal, control } = session;
  const asked = () =>
    ask().catch((error: unknown) => {
      throw unansweredOn(error);
    });
  return retrying(asked, {
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

/**
 * True if the registry's answer may let a field of this topic flow that no row has lacked yet. A field that rows have
 * lacked before needs a backfill anyway, so it is worth no wait.
 */
export function isAwaited({ registering, judging }: RegistryWork, table: TableState): boolean {
  const isRegistering = registering.has(table.shape.topic);
  return withheldOf(table).some(({ id, missed }) => !missed && (isRegistering || judging.has(id)));
}
