/**
 * The settings of the service as a whole, from environment variables. The variables for Kafka and the registry are
 * declared in their own files. An empty variable counts as not set.
 */
import { readFileSync } from "node:fs";

import { z } from "zod";

import { kafkaMistakes, kafkaSettings, kafkaVariables } from "./kafka-variables.ts";
import { alternatives, type Mistake, configError } from "../../mistake.ts";
import { registryMistakes, registrySettings, registryVariables } from "./registry-variables.ts";
import { tlsMistakes, tlsTexts, tlsVariables } from "./tls-texts.ts";
import { type Environment, given, inFiles, mistakesOf, type ReadText, variable } from "./variables.ts";
import { page } from "../../page.ts";

const HTTP_TLS = "FIELDGATE_HTTP_TLS";
/** Clients of the API do not present certificates, so there is no certificate authority for them. */
const { FIELDGATE_HTTP_TLS_CA: _, ...httpTls } = tlsVariables(HTTP_TLS);

const LOG_FORMATS = ["json", "pretty"] as const;
const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

/** The environment variables of `fieldgate run`, each with what it must be and an example. */
export const serviceVariables = z.object({
  ...kafkaVariables.shape,
  ...registryVariables.shape,
  FIELDGATE_DEPLOYMENT: variable(
    z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,50}$/)
      .default("main"),
    "be 1 to 50 letters, digits, `.`, `_` or `-`",
    "main",
  ),
  FIELDGATE_CONNECTORS: variable(
    z.string().min(1).default("connectors"),
    "be the directory of the connector files",
    "connectors",
  ),
  FIELDGATE_HTTP_HOST: variable(
    z.string().regex(/^\S+$/).default("127.0.0.1"),
    "be an address to listen on",
    "127.0.0.1",
  ),
  FIELDGATE_HTTP_PORT: variable(
    z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number)
      .refine((port) => port <= 65_535)
      .default(8080),
    "be a port from 0 to 65535; 0 means any free port",
    "8080",
  ),
  FIELDGATE_TOKEN: variable(
    z
      .string()
      .regex(/^[\x21-\x7e]{16,}$/)
      .optional(),
    "be at least 16 characters without spaces",
    "the output of `openssl rand -hex 32`",
    "file",
  ),
  FIELDGATE_TOKENS_FILE: variable(
    z.string().optional(),
    "be the path of the file with the tokens' hashes",
    "/etc/fieldgate/tokens.yaml",
  ),
  ...httpTls,
  FIELDGATE_SLACK_WEBHOOK_URL: variable(
    httpUrl().optional(),
    "be an incoming webhook's URL",
    "https://hooks.slack.com/services/…",
    "file",
  ),
  FIELDGATE_LOG: variable(z.enum(LOG_FORMATS).optional(), `be ${alternatives(LOG_FORMATS)}`, "json"),
  FIELDGATE_LOG_LEVEL: variable(z.enum(LOG_LEVELS).default("info"), `be ${alternatives(LOG_LEVELS)}`, "info"),
});

/**
 * Reads the environment. Secrets may be in files, which `<NAME>_FILE` names. Throws `config-invalid` with every
 * mistake; no mistake contains a value.
 */
export function readServiceConfig(
  env: Environment,
  read: ReadText = (path) => readFileSync(path, "utf8"),
): ServiceConfig {
  const found = given(env, inFiles(serviceVariables), read);
  const parsed = serviceVariables.safeParse(found.values);
  const mistakes = [
    ...found.mistakes,
    ...(parsed.success ? [] : mistakesOf(parsed.error.issues, serviceVariables, found)),
    ...(parsed.success ? togetherMistakes(parsed.data) : []),
    ...accessMistakes(env),
  ];
  if (!parsed.success || mistakes.length > 0) {
    throw configError(
      new Map([["environment", mistakes]]),
      `correct the variables above; ${page("configuration.md")} lists all of them`,
    );
  }
  return assemble(parsed.data);
}

type Values = z.infer<typeof serviceVariables>;

function togetherMistakes(values: Values): readonly Mistake[] {
  return [...kafkaMistakes(values), ...registryMistakes(values), ...tlsMistakes(HTTP_TLS, tlsTexts(HTTP_TLS, values))];
}

/** True if only this machine can reach the address: 127.0.0.0/8, ::1 or localhost. */
function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

function httpUrl() {
  return z.string().refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol));
}

/** An API that other machines can reach needs tokens. */
function accessMistakes(env: Environment): readonly Mistake[] {
  const host = env["FIELDGATE_HTTP_HOST"]?.trim() ?? "";
  const names = ["FIELDGATE_TOKEN", "FIELDGATE_TOKEN_FILE", "FIELDGATE_TOKENS_FILE"];
  if (host === "" || isLoopback(host) || names.some((name) => (env[name] ?? "").trim() !== "")) return [];
  return [
    {
      key: "FIELDGATE_TOKEN",
      reason:
        "is missing, and so is FIELDGATE_TOKENS_FILE: other machines can reach FIELDGATE_HTTP_HOST, so clients must send a token",
      example: "the output of `openssl rand -hex 32`",
    },
  ];
}

/** The settings of the service as a whole. */
export type ServiceConfig = ReturnType<typeof assemble>;

function assemble(values: Values) {
  const tls = tlsTexts(HTTP_TLS, values);
  return {
    kafka: kafkaSettings(values),
    registry: registrySettings(values),
    deployment: values.FIELDGATE_DEPLOYMENT,
    http: {
      host: values.FIELDGATE_HTTP_HOST,
      port: values.FIELDGATE_HTTP_PORT,
      /** A single token that allows everything. */
      token: values.FIELDGATE_TOKEN,
      tokensFile: values.FIELDGATE_TOKENS_FILE,
      /** Undefined means plain HTTP. */
      tls: tls.cert === undefined ? undefined : tls,
    },
    slackWebhookUrl: values.FIELDGATE_SLACK_WEBHOOK_URL,
    logLevel: values.FIELDGATE_LOG_LEVEL,
    /** Undefined means `pretty` on a terminal, and `json` otherwise. */
    logFormat: values.FIELDGATE_LOG,
    /** The directory of the connector files. */
    connectorsDir: values.FIELDGATE_CONNECTORS,
  };
}
