import { hostname, userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

import type { Command } from "commander";

import type { Command as ApiCommand } from "../../api/command.ts";
import type { OutcomeText } from "../../words/reason.ts";
import { visibleIn } from "../../visible.ts";
import { type Client, createClient } from "../client.ts";
import { EXIT, type Format, formatOption, readSeconds, type Terminal } from "../command.ts";
import type { Screen } from "../screen.ts";

/**
 * Sends an operator's command to the service, which appends it to the commands topic; the connector carries it out, and the
 * CLI polls for the outcome.
 */

/** The options of every operator's command. */
export interface SendOptions {
  readonly reason?: string;
  readonly timeout: number;
  readonly format: Format;
}

const FIRST_POLL_MS = 100;
const LONGEST_POLL_MS = 1000;

export function addSendOptions(command: Command): Command {
  return command
    .option("--reason <text>", "why; recorded with the command")
    .option("--timeout <seconds>", "how long to wait for the outcome", readSeconds, 30)
    .addOption(formatOption());
}

export async function send(
  terminal: Terminal,
  options: SendOptions,
  command: Omit<ApiCommand, "actor">,
): Promise<void> {
  const { timeout, format } = options;
  const client = createClient(terminal);
  const sent = await client.command({ ...command, actor: `${userInfo().username}@${hostname()}` });
  const outcome = await waitForOutcome(client, sent.id, timeout * 1000, terminal.signal);
  if (format === "json") terminal.out(JSON.stringify({ id: sent.id, outcome }));
  else terminal.show(outcomeText(visibleIn(outcome), sent.id, timeout, terminal.screen));
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

function outcomeText(outcome: OutcomeText, id: string, timeout: number, { paint }: Screen): string {
  switch (outcome.kind) {
    case "done":
      return `${paint("good", "done")}: ${outcome.message}`;
    case "refused":
      return `${paint("bad", "refused")}: ${outcome.message}${outcome.next === undefined ? "" : `\n  next: ${outcome.next}`}`;
    case "pending": {
      const { waits = [] } = outcome;
      if (waits.length === 0) {
        return `no outcome within ${timeout} s; command ${id} is still queued\n  next: fieldgate amendments`;
      }
      const why = waits.map((one) => `  ${one.id}: ${one.why}`).join("\n");
      return `not done within ${timeout} s; command ${id} is carried out as soon as nothing is in its way:\n${why}\n  next: fieldgate amendments show ${waits[0]?.id}`;
    }
    default:
      return outcome satisfies never;
  }
}
