import { readFileSync } from "node:fs";

import { z } from "zod";

import { kafkaMistakes, kafkaSettings, kafkaVariables } from "./kafka-variables.ts";
import { type Mistake, configError } from "../../mistake.ts";
import { registryMistakes, registrySettings, registryVariables } from "./registry-variables.ts";
import type { ServiceConfig } from "./settings.ts";
import { tlsMistakes } from "./tls-texts.ts";
import { type Environment, given, inFiles, mistakesOf, type ReadText, variable } from "./variables.ts";

/** The environment of `fieldgate run`, each variable with what it must be and an example. */
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
    "be a port, 0 to 65535 (0: any free one)",
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
    "be the file of the tokens' hashes",
    "/etc/fieldgate/tokens.yaml",
  ),
  FIELDGATE_HTTP_TLS_CERT: variable(z.string().optional(), "be a certificate in PEM form", "…", "file"),
  FIELDGATE_HTTP_TLS_KEY: variable(z.string().optional(), "be a private key in PEM form", "…", "file"),
  FIELDGATE_HTTP_TLS_KEY_PASSPHRASE: variable(z.string().optional(), "be the key's passphrase", "…", "file"),
  FIELDGATE_SLACK_WEBHOOK_URL: variable(
    httpUrl().optional(),
    "be an incoming webhook's URL",
    "https://hooks.slack.com/services/…",
    "file",
  ),
  FIELDGATE_LOG: variable(z.enum(["json", "pretty"]).optional(), "be json or pretty", "json"),
  FIELDGATE_LOG_LEVEL: variable(
    z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
    "be fatal, error, warn, info, debug, trace or silent",
    "info",
  ),
});

/**
 * Reads the environment; a variable that is empty counts as not set, and secrets may be in files (`<NAME>_FILE`).
 * Throws `config-invalid` with every mistake at once and no value.
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
    ...openMistakes(env),
  ];
  if (!parsed.success || mistakes.length > 0) {
    throw configError(new Map([["environment", mistakes]]), "set the variables above; docs/configuration.md has all");
  }
  return assemble(parsed.data);
}

type Values = z.infer<typeof serviceVariables>;

function togetherMistakes(values: Values): readonly Mistake[] {
  return [...kafkaMistakes(values), ...registryMistakes(values), ...tlsMistakes("FIELDGATE_HTTP_TLS", httpTls(values))];
}

/** 127.0.0.0/8, ::1 and localhost: what only this machine reaches. */
function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

function httpUrl() {
  return z.string().refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol));
}

/** What other machines reach asks for tokens. */
function openMistakes(env: Environment): readonly Mistake[] {
  const host = env["FIELDGATE_HTTP_HOST"]?.trim() ?? "";
  const names = ["FIELDGATE_TOKEN", "FIELDGATE_TOKEN_FILE", "FIELDGATE_TOKENS_FILE"];
  if (host === "" || isLoopback(host) || names.some((name) => (env[name] ?? "").trim() !== "")) return [];
  return [
    {
      key: "FIELDGATE_TOKEN",
      reason:
        "is missing: FIELDGATE_HTTP_HOST is reachable from other machines, so clients must show a token (or FIELDGATE_TOKENS_FILE)",
      example: "the output of `openssl rand -hex 32`",
    },
  ];
}

function httpTls(values: Values) {
  return {
    ca: undefined,
    cert: values.FIELDGATE_HTTP_TLS_CERT,
    key: values.FIELDGATE_HTTP_TLS_KEY,
    passphrase: values.FIELDGATE_HTTP_TLS_KEY_PASSPHRASE,
  };
}

function assemble(values: Values): ServiceConfig {
  const tls = httpTls(values);
  return {
    kafka: kafkaSettings(values),
    registry: registrySettings(values),
    deployment: values.FIELDGATE_DEPLOYMENT,
    http: {
      host: values.FIELDGATE_HTTP_HOST,
      port: values.FIELDGATE_HTTP_PORT,
      token: values.FIELDGATE_TOKEN,
      tokensFile: values.FIELDGATE_TOKENS_FILE,
      tls: tls.cert === undefined ? undefined : tls,
    },
    slackWebhookUrl: values.FIELDGATE_SLACK_WEBHOOK_URL,
    logLevel: values.FIELDGATE_LOG_LEVEL,
    logFormat: values.FIELDGATE_LOG,
    connectorsDir: values.FIELDGATE_CONNECTORS,
  };
}
