/**
 * The requests about groups that kafkajs lacks: the list with each group's type, and the descriptions of the types that
 * its own request does not describe. The form of each message is defined in Apache Kafka
 * (clients/src/main/resources/common/message); the versions are the first that contain what is needed here.
 */
import { compactList, type CompactReader, compactText, NO_TAGS } from "./wire/compact.ts";

/** One version of one request, ready to be sent. */
export interface Request<T> {
  readonly key: number;
  readonly name: string;
  readonly version: number;
  readonly body: Buffer;
  readonly read: (answer: CompactReader) => T;
}

export interface ListedGroup {
  readonly group: string;
  /** `consumer`, `connect`, `share`; empty for a group that only stores offsets. */
  readonly protocol: string;
  /** In lower case; undefined if the broker does not say (before Kafka 3.8). */
  readonly type: string | undefined;
}

/** Kafka's number for an error; 0 means none. */
type ErrorNumber = number;

export interface Listed {
  readonly error: ErrorNumber;
  readonly groups: readonly ListedGroup[];
}

/** A group's members, as its type's own request shows them. */
export interface Described {
  readonly error: ErrorNumber;
  /** By member: the topics that it subscribes to by name, or has been assigned. */
  readonly members: readonly (readonly string[])[];
}

/** ListGroups, version 5 (Kafka 3.8). */
export const listGroups: Request<Listed> = {
  key: 16,
  name: "ListGroups",
  version: 5,
  // Without a filter, groups of every state and type are listed.
  body: Buffer.concat([compactList([]), compactList([]), NO_TAGS]),
  read: (answer) => {
    answer.int32();
    const error = answer.int16();
    const groups = answer.list(() => {
      const [group = "", protocol = "", , type = ""] = [answer.text(), answer.text(), answer.text(), answer.text()];
      answer.tags();
      return { group, protocol, type: type.toLowerCase() };
    });
    return { error, groups };
  },
};

/** ConsumerGroupDescribe, version 0 (Kafka 3.7): a group of `group.protocol=consumer` (KIP-848). */
export function describeConsumerGroup(group: string): Request<Described> {
  return describing(69, "ConsumerGroupDescribe", 0, group, (answer) => {
    answer.text(); // the assignor
    return answer.list(() => {
      skipTexts(answer, 3); // member, instance, rack
      answer.int32();
      skipTexts(answer, 2); // client id, client host
      const subscribed = texts(answer);
      answer.text(); // a regular expression; the topics that it matches are assigned to somebody
      const topics = [...subscribed, ...assigned(answer), ...assigned(answer)];
      answer.tags();
      return topics;
    });
  });
}

/** ShareGroupDescribe, version 1 (Kafka 4.1): a share group (KIP-932). */
export function describeShareGroup(group: string): Request<Described> {
  return describing(77, "ShareGroupDescribe", 1, group, (answer) => {
    answer.text(); // the assignor
    return answer.list(() => {
      skipTexts(answer, 2); // member, rack
      answer.int32();
      skipTexts(answer, 2); // client id, client host
      const topics = [...texts(answer), ...assigned(answer)];
      answer.tags();
      return topics;
    });
  });
}

/** StreamsGroupDescribe, version 0 (Kafka 4.1): a Kafka Streams application (KIP-1071). Its members read its sources. */
export function describeStreamsGroup(group: string): Request<Described> {
  return describing(89, "StreamsGroupDescribe", 0, group, (answer) => {
    const isNull = answer.int8() < 0;
    const sources = isNull ? [] : topologySources(answer);
    return Array.from({ length: answer.count() }, () => sources);
  });
}

/** Where a share group continues, by topic and partition. */
export interface ShareOffsets {
  readonly error: ErrorNumber;
  readonly byTopic: ReadonlyMap<string, ReadonlyMap<number, bigint>>;
}

/** DescribeShareGroupOffsets, version 0 (Kafka 4.1). */
export function describeShareOffsets(group: string): Request<ShareOffsets> {
  const ofEveryTopic = Buffer.from([0]); // null
  const asked = Buffer.concat([compactText(group), ofEveryTopic, NO_TAGS]);
  return {
    key: 90,
    name: "DescribeShareGroupOffsets",
    version: 0,
    body: Buffer.concat([compactList([asked]), NO_TAGS]),
    read: (answer) => {
      answer.int32(); // throttle time
      if (answer.count() === 0) return { error: GROUP_NOT_FOUND, byTopic: new Map() };
      answer.text(); // the group
      const byTopic = new Map(answer.list(() => topicOffsets(answer)));
      return { error: answer.int16(), byTopic };
    },
  };
}

function topicOffsets(answer: CompactReader): readonly [string, ReadonlyMap<number, bigint>] {
  const topic = answer.text() ?? "";
  answer.skip(UUID);
  const partitions = answer.list(() => {
    const [partition, offset] = [answer.int32(), answer.int64()];
    answer.int32(); // leader epoch
    answer.int16(); // a partition that cannot be read has no offset either
    answer.text();
    answer.tags();
    return [partition, offset] as const;
  });
  answer.tags();
  return [topic, new Map(partitions.filter(([, offset]) => offset >= 0n))];
}

const UUID = 16;
/** Kafka's error GROUP_ID_NOT_FOUND. */
export const GROUP_NOT_FOUND = 69;

/** A request that describes one group. After what all types have, `members` reads the rest. */
function describing(
  key: number,
  name: string,
  version: number,
  group: string,
  members: (answer: CompactReader) => Described["members"],
): Request<Described> {
  return {
    key,
    name,
    version,
    body: Buffer.concat([compactList([compactText(group)]), Buffer.from([0]), NO_TAGS]),
    read: (answer) => {
      answer.int32(); // throttle time
      if (answer.count() === 0) return { error: GROUP_NOT_FOUND, members: [] };
      const error = answer.int16();
      if (error !== 0) return { error, members: [] };
      skipTexts(answer, 3); // message, group, state
      answer.int32(); // group epoch
      answer.int32(); // assignment epoch
      return { error, members: members(answer) };
    },
  };
}

/** The topics of an assignment. */
function assigned(answer: CompactReader): readonly string[] {
  const topics = answer.list(() => {
    answer.skip(UUID);
    const topic = answer.text() ?? "";
    answer.list(() => answer.int32());
    answer.tags();
    return topic;
  });
  answer.tags();
  return topics;
}

/** The source topics of a Streams topology. */
function topologySources(answer: CompactReader): readonly string[] {
  answer.int32(); // epoch
  const sources = answer.list(() => {
    answer.text(); // subtopology
    const topics = texts(answer);
    texts(answer); // sinks
    skipTopicInfos(answer); // changelogs
    skipTopicInfos(answer); // repartition topics
    answer.tags();
    return topics;
  });
  answer.tags();
  return [...new Set(sources.flat())];
}

function skipTopicInfos(answer: CompactReader): void {
  answer.list(() => {
    answer.text();
    answer.int32();
    answer.int16();
    answer.list(() => {
      skipTexts(answer, 2);
      answer.tags();
    });
    answer.tags();
  });
}

function texts(answer: CompactReader): readonly string[] {
  return answer.list(() => answer.text() ?? "");
}

function skipTexts(answer: CompactReader, count: number): void {
  for (let left = count; left > 0; left--) answer.text();
}
