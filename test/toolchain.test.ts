import { expect, it } from "vitest";

it("runs under Node 24 of the package node, whatever Node the machine has", () => {
  expect(process.version).toMatch(/^v24\./);
});
