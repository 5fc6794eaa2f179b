import type { Finding } from "../finding.ts";

const RULE = "contract/evidence-missing";
const OTHER_SCHEMA = "contract/other-schema";
export const STALE = "contract/stale";

const DAY_MS = 86_400_000;

/**
 * Evidence that the verdict needs is missing. The finding itself is a warning, but the verdict becomes `unknown`, which
 * releases nothing.
 */
export function missingEvidence(message: string, remedy: string): Finding {
  return { rule: RULE, severity: "warning", certainty: "by-policy", message, remedy };
}

/** The contract's record cannot be read, so nothing of what it says could be judged. */
export function unreadableFinding(): Finding {
  return missingEvidence(
    "this service cannot read the contract; a later version of Fieldgate may have published it",
    "upgrade the service, or run `fieldgate publish` with the service's version",
  );
}

/** The contract was seen before, and the contracts topic no longer has it although it was not withdrawn. */
export function missingFinding(): Finding {
  return missingEvidence(
    "the contract was published before, but the contracts topic no longer has it",
    "run `fieldgate publish` again, or `fieldgate retire` if the consumer no longer exists",
  );
}

/** Judging the contract failed for a reason that this version does not know. */
export function notJudgedFinding(): Finding {
  return missingEvidence(
    "this service cannot judge the contract: judging it ended with an unexpected error",
    "report it with the contract to Fieldgate's maintainers; until then an operator can release with --force --reason",
  );
}

/** Contracts of other consumers name the group too, so it is not known which of them its members read by. */
export function sharedGroupFinding(group: string, others: readonly string[]): Finding {
  return missingEvidence(
    `the group ${group} is named by ${others.join(" and ")} too, and a group belongs to one consumer`,
    "take the group out of `groups` of the contract whose consumer does not read with it, and run `fieldgate publish`",
  );
}

/** Members announce a schema that is not in any version of the contract, so it has not been judged. */
export function otherSchemaFinding(group: string, others: number, members: number): Finding {
  const message = `${others} of ${members} members of ${group} read with a schema that differs from the contract's`;
  const remedy = "run `fieldgate publish` with the version that is running, or with `--rolling-out` while several are";
  return { rule: OTHER_SCHEMA, severity: "warning", certainty: "by-policy", message, remedy };
}

/** No member of the contract's groups has been seen reading for this long. This does not change the verdict. */
export function staleFinding(groups: readonly string[], ms: number): Finding {
  const duration = ms >= DAY_MS ? `${Math.floor(ms / DAY_MS)} days` : `${Math.floor(ms / 1000)} s`;
  const message = `no member of ${groups.join(" or ")} has been seen reading the topic for ${duration}; the contract still counts`;
  const remedy = "list the consumer's Kafka groups in `groups`; if it no longer exists, run `fieldgate retire`";
  return { rule: STALE, severity: "warning", certainty: "by-policy", message, remedy };
}

export function isEvidenceMissing({ rule }: Finding): boolean {
  return rule === RULE || rule === OTHER_SCHEMA;
}
