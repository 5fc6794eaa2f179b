import { type CoverageView, isCovered } from "../../api/coverage.ts";
import { GuardError } from "../../errors.ts";
import { nearestName } from "../../mistake.ts";

/** The answer about these topics only. Throws `not-found` for a topic that no connector publishes. */
export function ofTopics(view: CoverageView, names: readonly string[]): CoverageView {
  if (names.length === 0) return view;
  const known = view.topics.map(({ topic }) => topic);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const near = nearestName(unknown, known);
    const next = near === undefined ? "`fieldgate coverage` lists the topics" : `did you mean ${near}?`;
    throw new GuardError("not-found", `no connector publishes topic ${unknown}`, { next });
  }
  const { whatIf } = view;
  const topics = view.topics.filter(({ topic }) => names.includes(topic));
  const isOfTopics = ({ id }: { readonly id: string }) => names.some((name) => id.startsWith(`${name}/`));
  return {
    complete: topics.every(isCovered),
    topics,
    ...(whatIf === undefined ? {} : { whatIf: { ...whatIf, amendments: whatIf.amendments.filter(isOfTopics) } }),
  };
}
