import type { Command } from "commander";

import { GuardError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { type Terminal, withExamples } from "../command.ts";
import { addRelease } from "./release.ts";
import { addSendOptions, send, type SendOptions } from "./send.ts";

/** `release`, `withhold` and `fill`: the operator's commands. */
export function addGate(program: Command, terminal: Terminal): void {
  addRelease(program, terminal);
  addWithhold(program, terminal);
  addFill(program, terminal);
}

function addWithhold(program: Command, terminal: Terminal): void {
  const withhold = program
    .command("withhold")
    .description("withhold fields whatever the policy says; refused for a field that is already in the events")
    .argument("<id...>", "an amendment: inventory.public.customers/3, or topic.field");
  addSendOptions(withhold).action(async (ids: string[], options: SendOptions) => {
    await send(terminal, options, { kind: "withhold", ids, reason: options.reason });
  });
  withExamples(withhold, 'fieldgate withhold inventory.public.customers/3 --reason "billing migrates on Monday"');
}

function addFill(program: Command, terminal: Terminal): void {
  const fill = program
    .command("fill")
    .description("set the value that a dropped column's field has in all following events")
    .argument("<id>", "an amendment: inventory.public.customers/3, or topic.field")
    .argument("<value>", 'the value as JSON: 0, false, "unknown"');
  addSendOptions(fill).action(async (id: string, value: string, options: SendOptions) => {
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
