import { expect, test } from "vitest";
import { GuardError } from "../../src/errors.ts";
import type { Registry } from "../../src/registry/client.ts";
import { inTime, levelsOnce } from "../../src/service/plan-registry.ts";

function registry(more: Partial<Registry>): Registry {
  const unused = async (): Promise<never> => expect.fail("not asked for");
  const none: Registry = {
    latest: unused,
    versions: unused,
    version: unused,
    schemaById: unused,
    check: unused,
    level: unused,
    register: unused,
  };
  return { ...none, ...more };
}

test("a registry that has not answered by the deadline counts as down, also for questions asked later", async () => {
  const deadline = new AbortController();
  const silent = inTime(registry({ check: () => new Promise(() => {}) }), deadline.signal);
  const asked = silent.check("subject", "{}");
  deadline.abort();
  const late = { code: "registry-down", message: expect.stringContaining("has not answered in time") };
  await expect(asked).rejects.toMatchObject(late);
  await expect(silent.check("subject", "{}")).rejects.toBeInstanceOf(GuardError);
});

test("each subject's level is asked for once", async () => {
  const asked: string[] = [];
  const once = levelsOnce(
    registry({
      level: async (subject) => {
        asked.push(subject);
        return "FULL";
      },
    }),
  );
  expect(await Promise.all(["a", "b", "a"].map((subject) => once.level(subject)))).toStrictEqual([
    "FULL",
    "FULL",
    "FULL",
  ]);
  expect(asked).toStrictEqual(["a", "b"]);
});
