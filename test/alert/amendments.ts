import { known } from "../contract/known.ts";
import { schemaHash } from "../../src/avro/hash.ts";
import type { Contract } from "../../src/contract/contract.ts";
import type { Finding } from "../../src/finding.ts";
import type { Amendment, Verdict } from "../../src/gate/amendment/amendment.ts";
import { NO_EVIDENCE } from "../../src/gate/evidence/evidence.ts";
import type { State } from "../../src/gate/state.ts";
import { attnum, tableOid } from "../../src/table/column.ts";
import { column, publishing } from "../gate/customers.ts";
import type { Reason } from "../../src/gate/decision/reason.ts";

export const SINCE = { since: "0/1A2B3C", time: "2026-03-01T06:31:07.123Z" };
export const TOPIC = "inventory.public.customers";

/** A column that was added with the number `at`, judged and withheld. */
export function withheld(at = 3, name = "nickname", more: Partial<Amendment> = {}, topic = TOPIC): Amendment {
  const added = column(at, name, "text");
  return {
    id: `${topic}/${at}`,
    topic,
    kind: "added",
    attnum: attnum(at),
    name,
    column: added,
    changes: [],
    key: undefined,
    gone: false,
    unmapped: undefined,
    answer: {
      kind: "fits",
      candidate: {
        part: "value",
        added: [name],
        moved: [],
        text: "{}",
        hash: schemaHash('"string"'),
        widened: undefined,
        together: [],
      },
    },
    notTaken: undefined,
    verdicts: [],
    order: undefined,
    gate: { kind: "withheld", ...SINCE, reason: { kind: "policy-manual" } },
    missed: false,
    alerted: undefined,
    ...more,
  };
}

export function notReady(consumer = "billing", findings: readonly Finding[] = [finding()]): Verdict {
  return { consumer, environment: "production", verdict: "not-ready", findings };
}

export function finding(field = "nickname"): Finding {
  return {
    rule: "contract/unknown-field",
    severity: "error",
    certainty: "always",
    field,
    message: "the consumer refuses fields it does not know",
    remedy: "name it under ignores",
  };
}

export function waitsFor(at: number, name: string, ...verdicts: readonly Verdict[]): Amendment {
  const reason = { kind: "not-ready", consumers: verdicts.map(({ consumer }) => consumer) } as const;
  return withheld(at, name, { verdicts, gate: { kind: "withheld", ...SINCE, reason } });
}

export function released(at = 3, name = "nickname", wouldHaveWaitedFor: readonly string[] = []): Amendment {
  const ready: Reason = { kind: "all-ready", count: 0, policy: "contracts" };
  const reason: Reason = wouldHaveWaitedFor.length > 0 ? { kind: "policy-observe" } : ready;
  const gate = { kind: "released" as const, ...SINCE, reason, schemaId: 7, wouldHaveWaitedFor };
  return withheld(at, name, { answer: undefined, gate });
}

export function contract(consumer: string, owner: string | undefined): Contract {
  const base = { version: 1, environment: "production", topic: TOPIC, decodesWith: "writer" } as const;
  return { ...base, consumer, unknownFields: "reject", owner };
}

/** One connector whose tables have these amendments. */
export function stateWith(amendments: readonly Amendment[], contracts: readonly Contract[] = []): State {
  const topics = [...new Set(amendments.map(({ topic }) => topic))];
  const tables = topics.map((topic, index) => {
    const table = publishing();
    const [, , name = "t"] = topic.split(".");
    const shape = { ...table.shape, topic, table: { oid: tableOid(5000 + index), schema: "public", name } };
    return [topic, { ...table, shape, amendments: amendments.filter((one) => one.topic === topic) }] as const;
  });
  return {
    tables: new Map(tables),
    jobs: new Map(),
    contracts: known(...contracts),
    outcomes: new Map(),
    evidence: NO_EVIDENCE,
  };
}
