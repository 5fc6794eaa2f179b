import type { Amendment } from "../gate/amendment/amendment.ts";

/** News is collected until none has arrived for this long, so that one migration leads to one message. */
const QUIET_MS = 2000;
/** The maximum time for which news is collected. */
const COLLECT_MS = 10_000;
/** Sending more messages than this within STORM_MS starts a storm. */
const STORM_MESSAGES = 5;
export const STORM_MS = 60_000;
/** In a storm, news is collected for one summary until none has arrived for STORM_MS, but at most for this long. */
const STORM_COLLECT_MS = 600_000;

/** A connector's news that has not been sent yet. Times are in milliseconds. */
export interface Box {
  /** The latest version of each amendment, by id. */
  readonly news: ReadonlyMap<string, Amendment>;
  /** When the first of the news arrived, and when the last of it did. */
  readonly since: number;
  readonly last: number;
  /** When the messages of the last minute were sent. */
  readonly posts: readonly number[];
  readonly storm: boolean;
}

export const EMPTY_BOX: Box = { news: new Map(), since: 0, last: 0, posts: [], storm: false };

/** Adds news. Newer news about an amendment replaces older news. */
export function put(box: Box, amendment: Amendment, now: number): Box {
  const news = new Map(box.news).set(amendment.id, amendment);
  const first = box.news.size === 0;
  const storm = box.storm && !(first && now >= box.last + STORM_MS);
  return { ...box, news, storm, since: first ? now : box.since, last: now };
}

/** Removes news that was sent or that is out of date. */
export function drop(box: Box, ids: Iterable<string>): Box {
  const news = new Map(box.news);
  for (const id of ids) news.delete(id);
  return { ...box, news };
}

/** True if news is being collected for a summary. */
export function isStormy({ storm, news }: Box): boolean {
  return storm && news.size > 0;
}

/** When the news is due to be sent; undefined if there is none. */
export function newsAt({ news, since, last, storm }: Box): number | undefined {
  if (news.size === 0) return undefined;
  return storm ? Math.min(last + STORM_MS, since + STORM_COLLECT_MS) : Math.min(last + QUIET_MS, since + COLLECT_MS);
}

/** Starts a storm if sending `messages` more would be too many. */
export function weather(box: Box, messages: number, now: number): Box {
  const posts = box.posts.filter((at) => at > now - STORM_MS);
  return { ...box, posts, storm: box.storm || posts.length + messages > STORM_MESSAGES };
}

/** Records that a message was sent. A storm ends with the summary that follows a quiet minute. */
export function posted(box: Box, now: number): Box {
  const storm = box.storm && now < box.last + STORM_MS;
  return { ...box, storm, posts: [...box.posts, now], since: now };
}
