import type { ChunkJob } from "../chunk/job.ts";
import type { Amendment } from "../gate/amendment/amendment.ts";
import { nextCommands } from "./amendment.ts";
import { blockedBy } from "../gate/decision/policy.ts";
import type { Reason, Unnamed } from "../gate/decision/reason.ts";
import type { Mode } from "../gate/state.ts";

/** The maximum number of ids in one command. */
const IDS = 20;

/** The command to run next; undefined if there is nothing to do. In watch mode nothing can be released. */
export function nextStep(amendment: Amendment, job: ChunkJob | undefined, mode: Mode): string | undefined {
  if (amendment.gate.kind === "withheld") {
    const first = amendment.verdicts.find((verdict) => verdict.verdict !== "ready");
    if (first === undefined && mode === "watch") return undefined;
    const { reason } = amendment.gate;
    if (reason.kind === "registration-awaited") return `fieldgate amendments show ${amendment.id} --schema`;
    if (first === undefined) return groupsStep(reason) ?? nextCommands(amendment)[0];
    return `once ${first.consumer} is ready, in its repository: fieldgate publish --env ${first.environment}`;
  }
  return job?.state === "waiting" ? `fieldgate release ${amendment.id} --backfill all` : undefined;
}

/** Under the strict policy a release would be refused until a contract names the groups. */
function groupsStep(reason: Reason): string | undefined {
  const unnamed = reason.kind === "not-ready" ? reason.unnamed : undefined;
  const groups = unnamed?.kind === "known" ? unnamed.groups : hiddenGroups(unnamed);
  if (groups === undefined) return undefined;
  return `name ${groups.join(", ")} in a contract's \`groups\`, in the consumer's repository: fieldgate publish`;
}

/** The groups that Kafka does not let us look into; undefined if it is something else that is unknown. */
function hiddenGroups(unnamed: Unnamed | undefined): readonly string[] | undefined {
  return unnamed?.kind === "unknown" && unnamed.why.kind === "groups-hidden" ? unnamed.why.groups : undefined;
}

/** The commands for several amendments, without duplicates. Releases are combined into one command. */
export function nextSteps(
  amendments: readonly Amendment[],
  jobOf: (amendment: Amendment) => ChunkJob | undefined,
  mode: Mode,
): readonly string[] {
  const steps = amendments.map((amendment) => ({ amendment, step: stepOf(amendment, jobOf(amendment), mode) }));
  const releases = steps.filter(({ amendment, step }) => step === `fieldgate release ${amendment.id}`);
  const ids = releases.slice(0, IDS).map(({ amendment }) => amendment.id);
  const others = steps.filter((one) => !releases.includes(one)).flatMap(({ step }) => step ?? []);
  return [...new Set([...others, ...(ids.length === 0 ? [] : [`fieldgate release ${ids.join(" ")}`])])];
}

/** The next command for one amendment. If no operator can release it, it has to be examined first. */
function stepOf(amendment: Amendment, job: ChunkJob | undefined, mode: Mode): string | undefined {
  const blocked = amendment.gate.kind === "withheld" && blockedBy(amendment) !== undefined;
  return blocked ? `fieldgate amendments show ${amendment.id}` : nextStep(amendment, job, mode);
}
