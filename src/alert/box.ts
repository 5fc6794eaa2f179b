import type { Amendment } from "../gate/amendment/amendment.ts";

/** News are collected until none came for so long, so that one migration is one message … */
const QUIET_MS = 2000;
/** … but never longer than this. */
const COLLECT_MS = 10_000;
/** More messages than this in a minute are a storm … */
const STORM_MESSAGES = 5;
export const STORM_MS = 60_000;
/** … and in a storm news are collected until none came for a minute, at most this long, and told in one summary. */
const STORM_COLLECT_MS = 600_000;

/** What waits to be told of one connector. Times are milliseconds. */
export interface Box {
  /** By id, the latest version of each. */
  readonly news: ReadonlyMap<string, Amendment>;
  /** When the first and the last of them came. */
  readonly since: number;
  readonly last: number;
  /** When messages of news went out, the last minute's. */
  readonly posts: readonly number[];
  readonly storm: boolean;
}

export const EMPTY_BOX: Box = { news: new Map(), since: 0, last: 0, posts: [], storm: false };

/** More news: the same amendment again takes the place of what was to be said of it. */
export function put(box: Box, amendment: Amendment, now: number): Box {
  const news = new Map(box.news).set(amendment.id, amendment);
  const first = box.news.size === 0;
  const storm = box.storm && !(first && now >= box.last + STORM_MS);
  return { ...box, news, storm, since: first ? now : box.since, last: now };
}

/** These are told, or nothing is left to tell of them. */
export function drop(box: Box, ids: Iterable<string>): Box {
  const news = new Map(box.news);
  for (const id of ids) news.delete(id);
  return { ...box, news };
}

/** Its news are collected for a summary. */
export function isStormy({ storm, news }: Box): boolean {
  return storm && news.size > 0;
}

/** When its news are to be told; undefined: there are none. */
export function newsAt({ news, since, last, storm }: Box): number | undefined {
  if (news.size === 0) return undefined;
  return storm ? Math.min(last + STORM_MS, since + STORM_COLLECT_MS) : Math.min(last + QUIET_MS, since + COLLECT_MS);
}

/** So many messages would go out now: is that too many? From then on it is a storm. */
export function weather(box: Box, messages: number, now: number): Box {
  const posts = box.posts.filter((at) => at > now - STORM_MS);
  return { ...box, posts, storm: box.storm || posts.length + messages > STORM_MESSAGES };
}

/** A message of news went out. A storm is over with the summary after its quiet minute. */
export function posted(box: Box, now: number): Box {
  const storm = box.storm && now < box.last + STORM_MS;
  return { ...box, storm, posts: [...box.posts, now], since: now };
}
