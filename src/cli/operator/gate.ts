import { hostname, userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

import { type Command, Option } from "commander";

import { GuardError } from "../../errors.ts";
import type { Command as ApiCommand } from "../../api/command.ts";
import type { OutcomeText } from "../../words/reason.ts";
import { type Client, createClient } from "../client.ts";
import { type Format, formatOption, readSeconds, type Terminal, withExamples, EXIT } from "../command.ts";
import type { Json } from "../../json.ts";

/**
 * `release`, `withhold` and `fill`: the operator's commands. Each command is sent to the service, which appends it to
 * the commands topic. The connector carries it out, and the CLI polls for the outcome.
 */

interface Options {
  readonly reason?: string;
  readonly force?: true;
  readonly backfill?: "all" | "none";
  readonly beside?: string | true;
  readonly timeout: number;
  readonly format: Format;
}

const FORCE_EXAMPLE = 'give the reason: --force --reason "…"';
const FIRST_POLL_MS = 100;
const LONGEST_POLL_MS = 1000;

export function addGate(program: Command, terminal: Terminal): void {
  const release = program
    .command("release")
    .description("let withheld fields into the events")
    .option("--force", "release even if a contract is not ready; requires --reason")
    .addOption(
      new Option(
        "--backfill <rows>",
        "whether to re-publish the rows whose value was not published while the field was withheld",
      ).choices(["all", "none"]),
    )
    .option(
      "--beside [name]",
      "keep the old field of a renamed or retyped column, and add the new one under this name",
    );
  addArguments(release, "release", terminal);
  withExamples(
    release,
    "fieldgate release inventory.public.customers/3",
    'fieldgate release inventory.public.customers.nickname --backfill none --reason "audit table without readers"',
  );
  const withhold = program
    .command("withhold")
    .description("withhold fields whatever the policy says; refused for a field that is already in the events");
  addArguments(withhold, "withhold", terminal);
  withExamples(withhold, 'fieldgate withhold inventory.public.customers/3 --reason "billing migrates on Monday"');
  addFill(program, terminal);
}

function addFill(program: Command, terminal: Terminal): void {
  const fill = program
    .command("fill")
    .description("set the value that a dropped column's field has in all following events")
    .argument("<id>", "an amendment: inventory.public.customers/3, or topic.field")
    .argument("<value>", 'the value as JSON: 0, false, "unknown"')
    .option("--reason <text>", "why; recorded with the command")
    .option("--timeout <seconds>", "how long to wait for the outcome", readSeconds, 30)
    .addOption(formatOption())
    .action(async (id: string, value: string, options: Options) => {
      await send(terminal, options, { kind: "fill", ids: [id], reason: options.reason, value: parseValue(value) });
    });
  withExamples(fill, "fieldgate fill inventory.public.customers/3 0");
}

function parseValue(text: string): Json {
  try {
    return JSON.parse(text) as Json; // JSON.parse returns nothing else
  } catch {
    throw new GuardError("usage", "the value is not JSON", { next: "quote a string, e.g. '\"unknown\"'" });
  }
}

function addArguments(command: Command, kind: "release" | "withhold", terminal: Terminal): void {
  command
    .argument("<id...>", "an amendment: inventory.public.customers/3, or topic.field")
    .option("--reason <text>", "why; recorded with the command")
    .option("--timeout <seconds>", "how long to wait for the outcome", readSeconds, 30)
    .addOption(formatOption())
    .action(async (ids: string[], options: Options) => {
      const { reason, force, backfill } = options;
      if (force && reason === undefined)
        throw new GuardError("usage", "--force needs --reason", { next: FORCE_EXAMPLE });
      await send(terminal, options, { kind, ids, reason, force, backfill, beside: besideOf(options) });
    });
}

function besideOf({ beside }: Options): { readonly name?: string } | undefined {
  if (beside === undefined) return undefined;
  return beside === true ? {} : { name: beside };
}

async function send(terminal: Terminal, options: Options, command: Omit<ApiCommand, "actor">): Promise<void> {
  const { timeout, format } = options;
  const client = createClient(terminal);
  const sent = await client.command({ ...command, actor: `${userInfo().username}@${hostname()}` });
  const outcome = await waitForOutcome(client, sent.id, timeout * 1000, terminal.signal);
  terminal.out(format === "json" ? JSON.stringify({ id: sent.id, outcome }) : outcomeText(outcome, sent.id, timeout));
  terminal.end(outcome.kind === "done" ? EXIT.fine : EXIT.findings);
}

async function waitForOutcome(
  client: Client,
  id: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<OutcomeText> {
  const end = Date.now() + timeoutMs;
  for (let delay = FIRST_POLL_MS; ; delay = Math.min(delay * 2, LONGEST_POLL_MS)) {
    const outcome = await client.outcome(id);
    if (outcome.kind !== "pending" || Date.now() + delay > end) return outcome;
    await sleep(delay, undefined, { signal });
  }
}

function outcomeText(outcome: OutcomeText, id: string, timeout: number): string {
  switch (outcome.kind) {
    case "done":
      return `done: ${outcome.message}`;
    case "refused":
      return `refused: ${outcome.message}${outcome.next === undefined ? "" : `\n  next: ${outcome.next}`}`;
    case "pending":
      return `no outcome within ${timeout} s; command ${id} is still queued\n  next: fieldgate amendments`;
    default:
      return outcome satisfies never;
  }
}
