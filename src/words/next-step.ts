import type { ChunkJob } from "../chunk/job.ts";
import type { Amendment } from "../gate/amendment/amendment.ts";
import { nextCommands } from "./amendment.ts";
import { blockedBy } from "../gate/decision/policy.ts";
import type { Blocked, Reason, Unnamed } from "../gate/decision/reason.ts";
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

/** What to do about an amendment that no release can let flow; undefined if a release can, or may later. */
export function insteadOfRelease(amendment: Amendment): string | undefined {
  const blocked = blockedBy(amendment);
  return blocked === undefined ? undefined : insteadOf(blocked, amendment);
}

function insteadOf(blocked: Blocked, { kind }: Amendment): string | undefined {
  switch (blocked.kind) {
    case "unmapped":
      return `type ${blocked.type} is in no event: give the column a type that is mapped, or name it in column.exclude.list`;
    case "registry-refused":
      return kind === "key"
        ? "the registry rejects the new key: keep the old one with message.key.columns, or capture the table with a new connector"
        : "the registry rejects the schema, so events keep the one they have: change the migration if they should not";
    case "field-name-taken":
      return `another column fills field ${blocked.field}: choose another name for the column`;
    case "no-primary-key":
      return "keep a primary key, name the key's columns in message.key.columns, or capture the table with a new connector";
    case "column-dropped-again":
    case "key-columns-withheld":
    case "table-replaced":
    case "not-judged":
    case "registry-unanswered":
      return undefined;
    default:
      return blocked satisfies never;
  }
}
