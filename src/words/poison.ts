import type { GuardError } from "../errors.ts";
import type { Poison, PoisonedChange, StuckChange } from "../gate/poison.ts";
import { poisonCount } from "../gate/poison.ts";
import type { PoisonPolicy, PoisonWay } from "../gate/poison-way.ts";
import { fullName } from "../table/quote.ts";

/** What people read about changes that no event can carry. None of it has a row's values. */

/** The commands that let the change continue, the usual one first, and what else helps. */
export function nextForRow(topic: string, ways: readonly PoisonWay[], policy: PoisonPolicy, stop: GuardError): string {
  const impossible =
    policy === "null-and-alert" && !ways.includes("null") ? `null is not possible: ${whyNotNull(stop)}. ` : "";
  return `${impossible}${commandsForRow(topic, ways)}${elsewhere(stop)}`;
}

/** The commands that decide what becomes of it. */
export function commandsForRow(topic: string, ways: readonly PoisonWay[]): string {
  return ways.map((way) => `fieldgate release ${topic}/row --as ${way} --reason "…"`).join("; or: ");
}

/** What waits, in words; its message names it in full. */
export function describeStuck({ code, field, since }: StuckChange): string {
  const what =
    field === undefined ? "a change that is too large" : `a change whose field ${field} has a value that fits no event`;
  return `${what} waits at ${since} ([${code}])`;
}

function whyNotNull({ code, unfit }: GuardError): string {
  if (code === "record-too-large") return "the whole change is too large";
  return unfit?.part === "key" ? "the field is part of the key" : "the field is required";
}

function elsewhere({ code, next, unfit }: GuardError): string {
  if (code === "record-too-large") return next === undefined ? "" : `; or: ${next}`;
  if (unfit?.isUnsent === true && next !== undefined) return `; for later changes: ${next}`;
  return unfit?.part === "key" ? "" : "; or leave the column out (column.exclude.list)";
}

/** `3 changes of public.t cannot be in an event: …` */
export function describePoison(
  table: { readonly schema: string; readonly name: string },
  poison: Poison,
  letters: string,
): string {
  const { counts, last } = poison;
  const count = poisonCount(poison);
  const parts = [
    counts["dead-letter"] === 0 ? "" : `${counts["dead-letter"]} in the dead letters (${letters})`,
    counts.null === 0 ? "" : `${counts.null} published with null instead of the value`,
  ].filter((part) => part !== "");
  const subject = count === 1 ? "1 change" : `${count} changes`;
  const latest = last === undefined ? "" : `; the last one: ${describeLast(last)}`;
  return `${subject} of ${fullName(table)} fit no event: ${parts.join(", ")}${latest}`;
}

function describeLast({ code, field, position }: PoisonedChange): string {
  return `${field === undefined ? "" : `field ${field}, `}${code} at ${position}`;
}
