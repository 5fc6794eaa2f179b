import type { Counts } from "../../api/api.ts";
import type { Screen } from "../screen.ts";
import { troubleText } from "../operator/incomplete.ts";
import { findingLine } from "../../finding.ts";
import type { Contract } from "../../contract/contract.ts";

/** What a published contract counts for, one line per fact. */
export function countsText(
  { consumer, topic, environment }: Contract,
  counts: Counts,
  screen: Screen,
): readonly string[] {
  switch (counts.kind) {
    case "counts":
      return [
        `counts for connector ${counts.connectors.join(", ")}`,
        ...counts.errors.flatMap((finding) => [
          `error: ${findingLine(finding)}`,
          ...(finding.remedy === undefined ? [] : [`  ${finding.remedy}`]),
        ]),
        ...counts.withheld.map(({ id, field, verdict, waitsFor }) => {
          const others = waitsFor.length === 0 ? "" : `; it also waits for ${waitsFor.join(", ")}`;
          return `withheld: ${field} (${id}): ${consumer} is ${verdict}${others}`;
        }),
        ...(counts.troubles ?? []).map((one) => troubleText(one, screen)),
      ];
    case "unknown":
      // A service from before this answer existed names no connectors.
      if (counts.connectors.length === 0)
        return ["not known what it counts for: the service is older than this command"];
      return [
        `not known yet what it counts for: connector ${counts.connectors.join(", ")} has not read its state`,
        "next: run the command again in a moment; publishing the same contract again changes nothing",
      ];
    case "nowhere":
      return nowhereText({ topic, environment }, counts);
    default:
      return counts satisfies never;
  }
}

function nowhereText(
  { topic, environment }: Pick<Contract, "topic" | "environment">,
  { environments, nearest }: Extract<Counts, { readonly kind: "nowhere" }>,
): readonly string[] {
  const [other] = environments;
  if (other !== undefined) {
    return [
      `counts for nothing: ${topic} is published in ${environments.join(", ")}, and not in ${environment}`,
      `next: publish with --env ${other}, or set fieldgate.environment to ${environment} in the connector's file`,
    ];
  }
  const near = nearest === null ? "" : `; did you mean ${nearest.topic} in ${nearest.environment}?`;
  return [
    `counts for nothing: no connector publishes topic ${topic}${near}`,
    "next: correct the topic in the contract file; if its table is captured later, the contract will count then",
  ];
}
