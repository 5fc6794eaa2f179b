import { decide } from "../../gate/decide.ts";
import type { Effect, Input } from "../../gate/state.ts";
import { formatLsn, isoTime } from "../../wal/lsn.ts";
import { capturedFrom, type Session } from "../session.ts";
import { judgeBeside, registerBeside, registrationEnded } from "./registry-work.ts";

/** Decides on one input and starts what follows. Throws the stop an input leads to. */
export function apply(session: Session, input: Input): void {
  const { outside } = session;
  const when = { position: formatLsn(session.position.endLsn), time: isoTime(outside.now()) };
  const before = session.state;
  const { state, effects } = decide(outside.settings, session.state, input, when);
  session.state = state;
  for (const effect of effects) run(session, effect);
  forgetWriters(session, before.tables);
  if (input.kind !== "registered" && input.kind !== "registration-refused") return;
  const topic = registrationEnded(session, input.id);
  if (topic !== undefined) apply(session, { kind: "settle", topic });
}

function run(session: Session, effect: Effect): void {
  switch (effect.kind) {
    case "judge":
      judgeBeside(session, effect.id);
      return;
    case "register":
      registerBeside(session, effect);
      return;
    case "tell":
      session.toTell.add(effect.id);
      return;
    case "stop":
      throw effect.error;
    default:
      effect satisfies never;
  }
}

/** A flip changes what the next row of its table looks like. */
function forgetWriters(session: Session, before: Session["state"]["tables"]): void {
  if (session.state.tables === before) return;
  for (const [oid, captured] of session.relations) {
    if (captured.news === "replaces") session.relations.set(oid, capturedFrom(session, captured.relation));
    if (captured.topic === undefined) continue;
    if (session.state.tables.get(captured.topic)?.shape === before.get(captured.topic)?.shape) continue;
    captured.encoder = undefined;
    // What stood in the way may fit now.
    session.halted = undefined;
  }
}

/** Decides on everything that came in beside the stream. */
export function takeInputs(session: Session): void {
  for (let inbound = session.inbox.shift(); inbound !== undefined; inbound = session.inbox.shift()) {
    apply(session, inbound.input);
    session.commandOffset = inbound.nextCommand ?? session.commandOffset;
  }
}
