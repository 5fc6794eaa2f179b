import { z } from "zod";

import type { KafkaOptions, Sasl } from "../../kafka/client.ts";
import { alternatives, type Mistake } from "../../mistake.ts";
import { tlsMistakes, tlsTexts, tlsVariables } from "./tls-texts.ts";
import { variable } from "./variables.ts";

/**
 * The environment variables for the connection to Kafka.
 */

const PROTOCOLS = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] as const;
const MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;

/** `security.protocol` and `sasl.mechanism` have the same values as in Kafka's own clients. */
export const kafkaVariables = z.object({
  FIELDGATE_KAFKA_BROKERS: variable(
    z
      .string()
      .transform((text) => text.split(",").map((broker) => broker.trim()))
      .refine((brokers) => brokers.every((broker) => /^[^\s:/]+:\d{1,5}$/.test(broker))),
    "be a comma-separated list of host:port",
    "kafka-1:9092,kafka-2:9092",
  ),
  FIELDGATE_KAFKA_SECURITY_PROTOCOL: variable(
    z.enum(PROTOCOLS).default("PLAINTEXT"),
    `be ${alternatives(PROTOCOLS)}`,
    "SASL_SSL",
  ),
  FIELDGATE_KAFKA_SASL_MECHANISM: variable(
    z.enum(MECHANISMS).optional(),
    `be ${alternatives(MECHANISMS)}`,
    "SCRAM-SHA-512",
  ),
  FIELDGATE_KAFKA_SASL_USERNAME: variable(z.string().optional(), "be the user name", "fieldgate"),
  FIELDGATE_KAFKA_SASL_PASSWORD: variable(z.string().optional(), "be the user's password", "…", "file"),
  ...tlsVariables("FIELDGATE_KAFKA"),
});

type Values = z.infer<typeof kafkaVariables>;

/** Checks which variables each protocol needs, because zod only checks each variable by itself. */
export function kafkaMistakes(values: Values): readonly Mistake[] {
  const protocol = values.FIELDGATE_KAFKA_SECURITY_PROTOCOL;
  const set = (pattern: RegExp) =>
    Object.entries(values).filter(([name, value]) => pattern.test(name) && value !== undefined);
  const useless = [
    ...(usesTls(protocol) ? [] : set(/^FIELDGATE_KAFKA_(CA|CERT|KEY|KEY_PASSPHRASE)$/)),
    ...(usesSasl(protocol) ? [] : set(/^FIELDGATE_KAFKA_SASL_/)),
  ].map(([key]): Mistake => ({
    key,
    reason: `is set, but FIELDGATE_KAFKA_SECURITY_PROTOCOL is ${protocol}`,
    example: "SASL_SSL",
  }));
  const needed = [
    "FIELDGATE_KAFKA_SASL_MECHANISM",
    "FIELDGATE_KAFKA_SASL_USERNAME",
    "FIELDGATE_KAFKA_SASL_PASSWORD",
  ] as const;
  const missing = usesSasl(protocol) ? needed.filter((name) => values[name] === undefined) : [];
  const reason = `is missing: FIELDGATE_KAFKA_SECURITY_PROTOCOL is ${protocol}`;
  const tls = usesTls(protocol) ? tlsMistakes("FIELDGATE_KAFKA", tlsTexts("FIELDGATE_KAFKA", values)) : [];
  return [...useless, ...missing.map((key): Mistake => ({ key, reason })), ...tls];
}

/** `values` must already have been validated. */
export function kafkaSettings(values: Values): Pick<KafkaOptions, "brokers" | "ssl" | "sasl"> {
  const protocol = values.FIELDGATE_KAFKA_SECURITY_PROTOCOL;
  return {
    brokers: values.FIELDGATE_KAFKA_BROKERS,
    ssl: usesTls(protocol) ? tlsTexts("FIELDGATE_KAFKA", values) : undefined,
    sasl: usesSasl(protocol) ? saslOf(values) : undefined,
  };
}

function usesTls(protocol: Values["FIELDGATE_KAFKA_SECURITY_PROTOCOL"]): boolean {
  return protocol === "SSL" || protocol === "SASL_SSL";
}

function usesSasl(protocol: Values["FIELDGATE_KAFKA_SECURITY_PROTOCOL"]): boolean {
  return protocol === "SASL_PLAINTEXT" || protocol === "SASL_SSL";
}

const NAMES = { PLAIN: "plain", "SCRAM-SHA-256": "scram-sha-256", "SCRAM-SHA-512": "scram-sha-512" } as const;

function saslOf(values: Values): Sasl | undefined {
  const {
    FIELDGATE_KAFKA_SASL_MECHANISM: mechanism,
    FIELDGATE_KAFKA_SASL_USERNAME: username,
    FIELDGATE_KAFKA_SASL_PASSWORD: password,
  } = values;
  if (mechanism === undefined || username === undefined || password === undefined) return undefined; // This has already been reported as a mistake.
  return { mechanism: NAMES[mechanism], username, password };
}
