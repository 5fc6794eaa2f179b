import { expect, it } from "vitest";
import type { OperatorCommand } from "../../src/gate/state.ts";
import { commandLog } from "../../src/service/command-log.ts";

function command(id: string): OperatorCommand {
  return { id, kind: "withhold", ids: ["a/3"], actor: "anna" };
}

it("a command is kept until its connector has recorded its outcome", () => {
  const log = commandLog();
  log.add("shop", { command: command("one"), offset: 1n });
  log.add("crm", { command: command("two"), offset: 2n });
  log.add("shop", { command: command("three"), offset: 3n });
  const ids = (connector: string, from: bigint) => log.from(connector, from).map((entry) => entry.command.id);
  expect(ids("shop", 0n)).toEqual(["one", "three"]);
  expect(ids("shop", 2n)).toEqual(["three"]);
  log.forget("shop", 2n);
  expect(ids("shop", 0n)).toEqual(["three"]);
  log.forget("shop", 4n);
  expect(ids("shop", 0n)).toEqual([]);
  expect(ids("crm", 0n)).toEqual(["two"]);
});
