import { expect, it } from "vitest";
import { idleChunks } from "../../../src/guard/stream/chunks.ts";
import { noteDelivered } from "../../../src/guard/stream/delivered.ts";
import type { ActiveChunk, Chunks } from "../../../src/guard/session.ts";

function tracking(): Chunks {
  const active = { restarted: false } as ActiveChunk; // no other property is read
  return { ...idleChunks(), tracking: true, active };
}

it("transactions are recorded only while chunks are read", () => {
  const chunks = tracking();
  noteDelivered(chunks, 7);
  expect([...chunks.delivered]).toEqual([7]);
  const idle = idleChunks();
  noteDelivered(idle, 7);
  expect(idle.delivered.size).toBe(0);
});

it("a million transactions that nothing forgets take bounded memory: tracking starts again, and the chunk is read again", () => {
  const chunks = tracking();
  for (let xid = 1; xid <= 1_000_000; xid++) noteDelivered(chunks, xid);
  expect(chunks.delivered.size).toBe(0);
  expect(chunks.tracking).toBe(false);
  expect(chunks.active?.restarted).toBe(true);
});
