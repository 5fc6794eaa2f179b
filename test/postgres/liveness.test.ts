import { expect, test } from "vitest";
import { countReplyRequest, judgeLiveness, type ReplyRequests, type ServerSigns } from "../../src/postgres/liveness.ts";

const NO_REQUESTS: ReplyRequests = { count: 0, lastAt: 0 };
const HEARD: ServerSigns = { now: 0, heardAt: 0, askedAt: undefined, isPaused: false, requests: NO_REQUESTS };

test.each([
  ["a server that was just heard is alive", {}, "alive"],
  ["30 seconds of silence are still normal", { now: 30_000 }, "alive"],
  ["after more than 30 seconds of silence the server is asked for a reply", { now: 30_001 }, "doubtful"],
  ["an asked server has 30 seconds to reply", { now: 60_001, askedAt: 30_001 }, "doubtful"],
  ["an asked server that does not reply is given up", { now: 60_002, askedAt: 30_001 }, "silent"],
  ["silence proves nothing while the socket is not read", { now: 600_000, isPaused: true }, "alive"],
  ["silence counts from the time reading resumed", { now: 600_000, heardAt: 570_000 }, "alive"],
  ["30 reply requests in a row are tolerated", { requests: { count: 30, lastAt: 0 } }, "alive"],
  ["a server that requests replies without end is stopping", { requests: { count: 31, lastAt: 0 } }, "stopping"],
  ["a server can be stopping while we do not read", { isPaused: true, requests: { count: 31, lastAt: 0 } }, "stopping"],
] as const)("%s", (_name, signs, expected) => {
  expect(judgeLiveness({ ...HEARD, ...signs })).toBe(expected);
});

test("only reply requests less than half a second apart are in a row", () => {
  const counts = [1000, 1100, 1599, 2099, 2200].reduce<readonly ReplyRequests[]>(
    (all, now) => [...all, countReplyRequest(all.at(-1) ?? NO_REQUESTS, now)],
    [],
  );
  expect(counts.map(({ count }) => count)).toEqual([0, 1, 2, 0, 1]);
});
