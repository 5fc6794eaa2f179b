import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Box, drop, EMPTY_BOX, isStormy, newsAt, posted, put, STORM_MS, weather } from "../../src/alert/box.ts";
import { withheld } from "./amendments.ts";

const one = withheld(3, "a");
const two = withheld(4, "b");

describe("a box", () => {
  it.each<[string, readonly number[], number]>([
    ["alone is sent after 2 quiet seconds", [1000], 3000],
    ["waits for more news", [1000, 2500], 4500],
    ["waits 10 s at most", [0, 1900, 3800, 5700, 7600, 9500], 10_000],
  ])("of news that %s", (_, times, expected) => {
    const box = times.reduce((now, time) => put(now, one, time), EMPTY_BOX);
    expect(newsAt(box)).toBe(expected);
  });

  it("has nothing to send without news, and after its news was sent", () => {
    expect(newsAt(EMPTY_BOX)).toBeUndefined();
    expect(newsAt(drop(put(EMPTY_BOX, one, 0), [one.id]))).toBeUndefined();
  });

  it("keeps the latest news about an amendment", () => {
    const later = { ...one, missed: true };
    expect([...put(put(put(EMPTY_BOX, one, 0), two, 1), later, 2).news.values()]).toEqual([later, two]);
  });

  it("a storm is over after a minute without news", () => {
    const stormy = { ...put(EMPTY_BOX, one, 0), storm: true };
    expect(newsAt(stormy)).toBe(STORM_MS);
    expect(posted(stormy, STORM_MS - 1).storm).toBe(true);
    expect(posted(stormy, STORM_MS).storm).toBe(false);
    expect(put({ ...drop(stormy, [one.id]) }, two, STORM_MS).storm).toBe(false);
    expect(isStormy(drop(stormy, [one.id]))).toBe(false);
  });

  it("sends at most 5 messages and a summary in any minute, whatever arrives when", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { minLength: 1, maxLength: 300 }), (gaps) => {
        const sent = play(gaps);
        for (const { at } of sent) {
          const minute = sent.filter((other) => other.at > at - STORM_MS && other.at <= at);
          expect(minute.filter(({ summary }) => !summary).length).toBeLessThanOrEqual(5);
          expect(minute.filter(({ summary }) => summary).length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

interface Sent {
  readonly at: number;
  readonly summary: boolean;
}

/** News with these gaps between them, each sent as one message. */
function play(gaps: readonly number[]): readonly Sent[] {
  const sent: Sent[] = [];
  let box: Box = EMPTY_BOX;
  let now = 0;
  for (const gap of [...gaps, 2_000_000]) {
    for (let at = newsAt(box); at !== undefined && at <= now + gap; at = newsAt(box)) {
      const before = box.storm;
      box = weather(box, 1, at);
      if (box.storm && !before) continue;
      sent.push({ at, summary: box.storm });
      box = posted(drop(box, [one.id]), at);
    }
    now += gap;
    box = put(box, one, now);
  }
  return sent;
}
