import { z } from "zod";

import type { Mistake } from "../../mistake.ts";
import type { KafkaSettings } from "./settings.ts";
import { tlsMistakes } from "./tls-texts.ts";
import { variable } from "./variables.ts";

const PROTOCOLS = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] as const;
const MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;

/** `security.protocol` and `sasl.mechanism` as Kafka's own clients name them. */
export const kafkaVariables = z.object({
  FIELDGATE_KAFKA_BROKERS: variable(
    z
      .string()
      .transform((text) => text.split(",").map((broker) => broker.trim()))
      .refine((brokers) => brokers.every((broker) => /^[^\s:/]+:\d{1,5}$/.test(broker))),
    "be a comma list of host:port",
    "kafka-1:9092,kafka-2:9092",
  ),
  FIELDGATE_KAFKA_SECURITY_PROTOCOL: variable(
    z.enum(PROTOCOLS).default("PLAINTEXT"),
    `be ${PROTOCOLS.join(", ")}`,
    "SASL_SSL",
  ),
  FIELDGATE_KAFKA_SASL_MECHANISM: variable(
    z.enum(MECHANISMS).optional(),
    `be ${MECHANISMS.join(", ")}`,
    "SCRAM-SHA-512",
  ),
  FIELDGATE_KAFKA_SASL_USERNAME: variable(z.string().optional(), "be the user's name", "fieldgate"),
  FIELDGATE_KAFKA_SASL_PASSWORD: variable(z.string().optional(), "be the user's password", "…", "file"),
  FIELDGATE_KAFKA_CA: variable(z.string().optional(), "be certificates in PEM form", "…", "file"),
  FIELDGATE_KAFKA_CERT: variable(z.string().optional(), "be a certificate in PEM form", "…", "file"),
  FIELDGATE_KAFKA_KEY: variable(z.string().optional(), "be a private key in PEM form", "…", "file"),
  FIELDGATE_KAFKA_KEY_PASSPHRASE: variable(z.string().optional(), "be the key's passphrase", "…", "file"),
});

type Values = z.infer<typeof kafkaVariables>;

/** What zod cannot see: which variables go together under which protocol. */
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
  const asked = [
    "FIELDGATE_KAFKA_SASL_MECHANISM",
    "FIELDGATE_KAFKA_SASL_USERNAME",
    "FIELDGATE_KAFKA_SASL_PASSWORD",
  ] as const;
  const missing = usesSasl(protocol) ? asked.filter((name) => values[name] === undefined) : [];
  const reason = `is missing: FIELDGATE_KAFKA_SECURITY_PROTOCOL is ${protocol}`;
  const tls = usesTls(protocol) ? tlsMistakes("FIELDGATE_KAFKA", tlsOf(values)) : [];
  return [...useless, ...missing.map((key): Mistake => ({ key, reason })), ...tls];
}

/** `values` are without mistakes. */
export function kafkaSettings(values: Values): KafkaSettings {
  const protocol = values.FIELDGATE_KAFKA_SECURITY_PROTOCOL;
  return {
    brokers: values.FIELDGATE_KAFKA_BROKERS,
    tls: usesTls(protocol) ? tlsOf(values) : undefined,
    sasl: usesSasl(protocol) ? saslOf(values) : undefined,
  };
}

function usesTls(protocol: Values["FIELDGATE_KAFKA_SECURITY_PROTOCOL"]): boolean {
  return protocol === "SSL" || protocol === "SASL_SSL";
}

function usesSasl(protocol: Values["FIELDGATE_KAFKA_SECURITY_PROTOCOL"]): boolean {
  return protocol === "SASL_PLAINTEXT" || protocol === "SASL_SSL";
}

function tlsOf(values: Values) {
  return {
    ca: values.FIELDGATE_KAFKA_CA,
    cert: values.FIELDGATE_KAFKA_CERT,
    key: values.FIELDGATE_KAFKA_KEY,
    passphrase: values.FIELDGATE_KAFKA_KEY_PASSPHRASE,
  };
}

const NAMES = { PLAIN: "plain", "SCRAM-SHA-256": "scram-sha-256", "SCRAM-SHA-512": "scram-sha-512" } as const;

function saslOf(values: Values): KafkaSettings["sasl"] {
  const {
    FIELDGATE_KAFKA_SASL_MECHANISM: mechanism,
    FIELDGATE_KAFKA_SASL_USERNAME: username,
    FIELDGATE_KAFKA_SASL_PASSWORD: password,
  } = values;
  if (mechanism === undefined || username === undefined || password === undefined) return undefined; // a mistake by now
  return { mechanism: NAMES[mechanism], username, password };
}
