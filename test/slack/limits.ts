import { expect } from "vitest";
import type { Message } from "../../src/slack/message.ts";

/** Every text of a message's blocks, at any depth. */
export function texts(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(texts) : [];
}

/**
 * Slack's documented limits (docs.slack.dev/reference/block-kit/blocks), and the undocumented total of 13,000
 * characters.
 */
export function expectWithinLimits({ text, blocks }: Message): void {
  expect(blocks.length).toBeGreaterThan(0);
  expect(blocks.length).toBeLessThanOrEqual(50);
  expect(text.length).toBeGreaterThan(0);
  expect(text.length).toBeLessThanOrEqual(4000);
  for (const block of blocks) {
    const most = block.type === "header" ? 150 : block.type === "context" ? 2000 : 3000;
    const [longest = ""] = [...texts(block)].sort((a, b) => b.length - a.length);
    expect(longest.length).toBeGreaterThan(0);
    expect(longest.length).toBeLessThanOrEqual(most);
  }
  expect(texts(blocks).join("").length).toBeLessThanOrEqual(13_000);
}
