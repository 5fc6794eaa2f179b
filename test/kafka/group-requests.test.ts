import { expect, test } from "vitest";
import {
  describeConsumerGroup,
  describeShareGroup,
  describeShareOffsets,
  describeStreamsGroup,
  GROUP_NOT_FOUND,
  listGroups,
  type Request,
} from "../../src/kafka/group-requests.ts";
import { compactReader } from "../../src/kafka/wire/compact.ts";

/** What Kafka's own Java classes write (kafka-clients 4.4.0), in hexadecimal: requests, and answers with these contents. */
const JAVA = {
  listRequest: "010100",
  list: [
    "000000030000030862696c6c696e6709636f6e73756d657207537461626c6508436c617373696300056a6f6273067368",
    "61726506456d7074790653686172650000",
  ].join(""),
  consumerRequest: "020862696c6c696e670000",
  consumer: [
    "00000003020000000862696c6c696e6707537461626c65000000020000000208756e69666f726d03036d310269000000",
    "00020263032f680302610262000100010000036d320000000000020263032f6801066d61742e2a020000000000000001",
    "0000000000000002086d61746368656403000000000000000100000200000000000000010000000000000002086d6174",
    "63686564030000000000000001000000800000000000",
  ].join(""),
  consumerGone: [
    "000000000200451947726f75702062696c6c696e67206e6f7420666f756e642e0862696c6c696e670100000000000000",
    "000101800000000000",
  ].join(""),
  shareRequest: "02056a6f62730000",
  share: [
    "0000000002000000056a6f627307537461626c6500000001000000010773696d706c6502036d31027200000001026303",
    "2f68020261020000000000000001000000000000000202610200000000000000800000000000",
  ].join(""),
  offsetsRequest: "02056a6f6273000000",
  offsets: [
    "0000000002056a6f62730202610000000000000001000000000000000203000000000000000000000029000000010000",
    "000000000001ffffffffffffffff0000000000000000000000000000",
  ].join(""),
  streamsRequest: "0205666c6f770000",
  streams: [
    "000000000200000005666c6f7707537461626c650000000100000001010000000103023003026102620211666c6f772d",
    "7265706172746974696f6e0215666c6f772d73746f72652d6368616e67656c6f67000000000001020f636c65616e7570",
    "2e706f6c69637908636f6d7061637400000100023102026201010215666c6f772d73746f72652d6368616e67656c6f67",
    "000000000001020f636c65616e75702e706f6c69637908636f6d706163740000000003026d0000000100000263032f68",
    "000000000270ff01010101010100010101000000026e0000000100000263032f68000000000270ff0101010101010001",
    "0101000000800000000000",
  ].join(""),
  streamsEmpty: "000000000200000005666c6f7706456d7074790000000000000000ff01800000000000",
} as const;

const GONE = { error: GROUP_NOT_FOUND, members: [] };

test.each<[string, Request<unknown>, keyof typeof JAVA, keyof typeof JAVA, unknown]>([
  [
    "the list of groups, with their types",
    listGroups,
    "listRequest",
    "list",
    {
      error: 0,
      groups: [
        { group: "billing", protocol: "consumer", type: "classic" },
        { group: "jobs", protocol: "share", type: "share" },
      ],
    },
  ],
  [
    "a group of the new protocol: what its members subscribe to by name, and what is assigned to them",
    describeConsumerGroup("billing"),
    "consumerRequest",
    "consumer",
    {
      error: 0,
      members: [
        ["a", "b"],
        ["matched", "matched"],
      ],
    },
  ],
  ["a group that does not exist", describeConsumerGroup("billing"), "consumerRequest", "consumerGone", GONE],
  ["a share group", describeShareGroup("jobs"), "shareRequest", "share", { error: 0, members: [["a", "a"]] }],
  [
    "where a share group continues; not where it has not begun",
    describeShareOffsets("jobs"),
    "offsetsRequest",
    "offsets",
    { error: 0, byTopic: new Map([["a", new Map([[0, 41n]])]]) },
  ],
  [
    "a group of Kafka Streams: each member reads every source",
    describeStreamsGroup("flow"),
    "streamsRequest",
    "streams",
    {
      error: 0,
      members: [
        ["a", "b"],
        ["a", "b"],
      ],
    },
  ],
  [
    "a group of Kafka Streams without members",
    describeStreamsGroup("flow"),
    "streamsRequest",
    "streamsEmpty",
    { error: 0, members: [] },
  ],
])("%s", (_, { body, read }, request, answer, expected) => {
  expect(body.toString("hex")).toBe(JAVA[request]);
  expect(read(compactReader(Buffer.from(JAVA[answer], "hex")))).toEqual(expected);
});

test("an answer that is cut off is an error", () => {
  const bytes = Buffer.from(JAVA.consumer, "hex");
  for (let length = 0; length < bytes.length - 6; length++) {
    expect(() => describeConsumerGroup("billing").read(compactReader(bytes.subarray(0, length)))).toThrow(RangeError);
  }
});
