import { readFileSync } from "node:fs";

import { z } from "zod";

import { configError, type Mistake } from "../../mistake.ts";
import { readRegistryAddress, type RegistryAddress } from "./registry-address.ts";
import type { RegistrySettings } from "./settings.ts";
import { tlsMistakes } from "./tls-texts.ts";
import { type Environment, given, inFiles, mistakesOf, type ReadText, variable } from "./variables.ts";

export const registryVariables = z.object({
  FIELDGATE_REGISTRY_URL: variable(
    z.string().transform((text, context) => {
      const addresses = text.split(",").map((each) => readRegistryAddress(each.trim()));
      const known = addresses.filter((address) => address !== undefined);
      if (known.length < addresses.length) context.addIssue({ code: "custom" });
      return known;
    }),
    "be the schema registry's http(s) URL, or a comma list of one registry's",
    "http://registry:8081",
    "file",
  ),
  FIELDGATE_REGISTRY_USERNAME: variable(z.string().optional(), "be the user's name", "fieldgate"),
  FIELDGATE_REGISTRY_PASSWORD: variable(z.string().optional(), "be the user's password", "…", "file"),
  FIELDGATE_REGISTRY_TOKEN: variable(
    z
      .string()
      .regex(/^[\x21-\x7e]+$/)
      .optional(),
    "be a bearer token",
    "…",
    "file",
  ),
  FIELDGATE_REGISTRY_CA: variable(z.string().optional(), "be certificates in PEM form", "…", "file"),
  FIELDGATE_REGISTRY_CERT: variable(z.string().optional(), "be a certificate in PEM form", "…", "file"),
  FIELDGATE_REGISTRY_KEY: variable(z.string().optional(), "be a private key in PEM form", "…", "file"),
  FIELDGATE_REGISTRY_KEY_PASSPHRASE: variable(z.string().optional(), "be the key's passphrase", "…", "file"),
});

type Values = z.infer<typeof registryVariables>;

/** What zod cannot see: one way to log in, the same for every address. */
export function registryMistakes(values: Values): readonly Mistake[] {
  const ways = waysIn(values);
  const mistakes: Mistake[] = [];
  if (ways.length > 1) {
    const reason = "has a user in it, and there is another user or token: one of them";
    const twice = values.FIELDGATE_REGISTRY_URL.some(({ auth }) => auth !== undefined);
    mistakes.push(
      twice
        ? { key: "FIELDGATE_REGISTRY_URL", reason }
        : { key: "FIELDGATE_REGISTRY_TOKEN", reason: "is set, and so is FIELDGATE_REGISTRY_USERNAME: one of them" },
    );
  }
  const [username, password] = [values.FIELDGATE_REGISTRY_USERNAME, values.FIELDGATE_REGISTRY_PASSWORD];
  if ((username === undefined) !== (password === undefined)) {
    const lacks = username === undefined ? "USERNAME" : "PASSWORD";
    mistakes.push({ key: `FIELDGATE_REGISTRY_${lacks}`, reason: "is missing: a user goes with a password" });
  }
  return [...mistakes, ...tlsMistakes("FIELDGATE_REGISTRY", tlsOf(values))];
}

/** `values` are without mistakes. */
export function registrySettings(values: Values): RegistrySettings {
  return {
    urls: values.FIELDGATE_REGISTRY_URL.map(({ url }) => url),
    auth: waysIn(values)[0],
    tls: tlsOf(values),
  };
}

/** The registry of a command that needs no other setting. Throws `config-invalid`. */
export function readRegistrySettings(
  env: Environment,
  read: ReadText = (path) => readFileSync(path, "utf8"),
): RegistrySettings {
  const found = given(env, inFiles(registryVariables), read);
  const parsed = registryVariables.safeParse(found.values);
  const mistakes = [
    ...found.mistakes,
    ...(parsed.success ? registryMistakes(parsed.data) : mistakesOf(parsed.error.issues, registryVariables, found)),
  ];
  if (parsed.success && mistakes.length === 0) return registrySettings(parsed.data);
  throw configError(new Map([["environment", mistakes]]), "docs/configuration.md has all variables");
}

type Auth = NonNullable<RegistrySettings["auth"]>;

/** Every way to log in that is named, equal ones once. */
function waysIn(values: Values): readonly Auth[] {
  const inUrls = values.FIELDGATE_REGISTRY_URL.flatMap(({ auth }) => (auth === undefined ? [] : [auth]));
  const { FIELDGATE_REGISTRY_USERNAME: username, FIELDGATE_REGISTRY_PASSWORD: password } = values;
  const ways: Auth[] = inUrls.filter((auth, index) => inUrls.findIndex((other) => isSame(auth, other)) === index);
  if (username !== undefined) ways.push({ kind: "basic", username, password: password ?? "" });
  if (values.FIELDGATE_REGISTRY_TOKEN !== undefined) {
    ways.push({ kind: "bearer", token: values.FIELDGATE_REGISTRY_TOKEN });
  }
  return ways;
}

type BasicAuth = NonNullable<RegistryAddress["auth"]>;

function isSame(left: BasicAuth, right: BasicAuth): boolean {
  return left.username === right.username && left.password === right.password;
}

function tlsOf(values: Values) {
  return {
    ca: values.FIELDGATE_REGISTRY_CA,
    cert: values.FIELDGATE_REGISTRY_CERT,
    key: values.FIELDGATE_REGISTRY_KEY,
    passphrase: values.FIELDGATE_REGISTRY_KEY_PASSPHRASE,
  };
}
