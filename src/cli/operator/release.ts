import { type Command, Option } from "commander";

import { GuardError } from "../../errors.ts";
import { POISON_WAYS, type PoisonWay } from "../../gate/poison-way.ts";
import { type Terminal, withExamples } from "../command.ts";
import { addSendOptions, send, type SendOptions } from "./send.ts";

interface Options extends SendOptions {
  readonly force?: true;
  readonly backfill?: "all" | "none";
  readonly beside?: string | true;
  readonly as?: PoisonWay;
}

const FORCE_EXAMPLE = 'give the reason: --force --reason "…"';
const AS_EXAMPLE = 'give the reason: --as dead-letter --reason "…"';

/** `release`: lets withheld fields flow, or decides what becomes of a change that no event can carry. */
export function addRelease(program: Command, terminal: Terminal): void {
  const release = program
    .command("release")
    .description("let withheld fields into the events, or a change that waits past")
    .argument(
      "<id...>",
      "an amendment: inventory.public.customers/3, or topic.field; or inventory.public.customers/row, the change that waits",
    )
    .option("--force", "release even if a contract is not ready; requires --reason")
    .addOption(
      new Option(
        "--backfill <rows>",
        "whether to re-publish the rows whose value was not published while the field was withheld",
      ).choices(["all", "none"]),
    )
    .option("--beside [name]", "keep the old field of a renamed or retyped column, and add the new one under this name")
    .addOption(
      new Option(
        "--as <what>",
        "for TOPIC/row: publish the change with null instead of the value, or write it to the dead letters; requires --reason",
      ).choices([...POISON_WAYS]),
    );
  addSendOptions(release).action(async (ids: string[], options: Options) => {
    const { reason, force, backfill, as } = options;
    if (force && reason === undefined) throw new GuardError("usage", "--force needs --reason", { next: FORCE_EXAMPLE });
    if (as !== undefined && reason === undefined) {
      throw new GuardError("usage", "--as needs --reason", { next: AS_EXAMPLE });
    }
    await send(terminal, options, { kind: "release", ids, reason, force, backfill, beside: besideOf(options), as });
  });
  withExamples(
    release,
    "fieldgate release inventory.public.customers/3",
    'fieldgate release inventory.public.customers.nickname --backfill none --reason "audit table without readers"',
    'fieldgate release inventory.public.customers/row --as dead-letter --reason "NaN from the import of May"',
  );
}

function besideOf({ beside }: Options): { readonly name?: string } | undefined {
  if (beside === undefined) return undefined;
  return beside === true ? {} : { name: beside };
}
