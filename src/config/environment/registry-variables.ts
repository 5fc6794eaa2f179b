import { readFileSync } from "node:fs";

import { z } from "zod";

import { configError, type Mistake } from "../../mistake.ts";
import type { RegistryAuth, RegistryOptions } from "../../registry/http.ts";
import { type BasicAuth, readRegistryAddress } from "./registry-address.ts";
import { tlsMistakes, tlsTexts, tlsVariables } from "./tls-texts.ts";
import { type Environment, given, inFiles, mistakesOf, type ReadText, variable } from "./variables.ts";
import { page } from "../../page.ts";

/**
 * The environment variables for the connection to the schema registry.
 */

export const registryVariables = z.object({
  FIELDGATE_REGISTRY_URL: variable(
    z.string().transform((text, context) => {
      const addresses = text.split(",").map((each) => readRegistryAddress(each.trim()));
      const known = addresses.filter((address) => address !== undefined);
      if (known.length < addresses.length) context.addIssue({ code: "custom" });
      return known;
    }),
    "be the schema registry's http(s) URL; several URLs of the same registry are separated by commas",
    "http://registry:8081",
    "file",
  ),
  FIELDGATE_REGISTRY_USERNAME: variable(z.string().optional(), "be the user name", "fieldgate"),
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
  ...tlsVariables("FIELDGATE_REGISTRY"),
});

type Values = z.infer<typeof registryVariables>;

/** Checks that there is one way to log in, the same for every address. zod only checks each variable by itself. */
export function registryMistakes(values: Values): readonly Mistake[] {
  const logins = loginsOf(values);
  const mistakes: Mistake[] = [];
  if (logins.length > 1) {
    const reason = "contains a user, but a different user or a token is also given: use only one";
    const twice = values.FIELDGATE_REGISTRY_URL.some(({ auth }) => auth !== undefined);
    mistakes.push(
      twice
        ? { key: "FIELDGATE_REGISTRY_URL", reason }
        : { key: "FIELDGATE_REGISTRY_TOKEN", reason: "and FIELDGATE_REGISTRY_USERNAME are both set: use only one" },
    );
  }
  const [username, password] = [values.FIELDGATE_REGISTRY_USERNAME, values.FIELDGATE_REGISTRY_PASSWORD];
  if ((username === undefined) !== (password === undefined)) {
    const lacks = username === undefined ? "USERNAME" : "PASSWORD";
    mistakes.push({
      key: `FIELDGATE_REGISTRY_${lacks}`,
      reason: "is missing: a user name and a password are needed together",
    });
  }
  return [...mistakes, ...tlsMistakes("FIELDGATE_REGISTRY", tlsTexts("FIELDGATE_REGISTRY", values))];
}

/** `values` must already have been validated. */
export function registrySettings(values: Values): RegistryOptions {
  return {
    urls: values.FIELDGATE_REGISTRY_URL.map(({ url }) => url),
    auth: loginsOf(values)[0],
    tls: tlsTexts("FIELDGATE_REGISTRY", values),
  };
}

/** Reads only the registry's variables, for a command that needs no others. Throws `config-invalid`. */
export function readRegistrySettings(
  env: Environment,
  read: ReadText = (path) => readFileSync(path, "utf8"),
): RegistryOptions {
  const found = given(env, inFiles(registryVariables), read);
  const parsed = registryVariables.safeParse(found.values);
  const mistakes = [
    ...found.mistakes,
    ...(parsed.success ? registryMistakes(parsed.data) : mistakesOf(parsed.error.issues, registryVariables, found)),
  ];
  if (parsed.success && mistakes.length === 0) return registrySettings(parsed.data);
  throw configError(new Map([["environment", mistakes]]), `${page("configuration.md")} lists all variables`);
}

/** All different logins that are given. */
function loginsOf(values: Values): readonly RegistryAuth[] {
  const inUrls = values.FIELDGATE_REGISTRY_URL.flatMap(({ auth }) => (auth === undefined ? [] : [auth]));
  const { FIELDGATE_REGISTRY_USERNAME: username, FIELDGATE_REGISTRY_PASSWORD: password } = values;
  const logins: RegistryAuth[] = inUrls.filter(
    (auth, index) => inUrls.findIndex((other) => isSame(auth, other)) === index,
  );
  if (username !== undefined) logins.push({ kind: "basic", username, password: password ?? "" });
  if (values.FIELDGATE_REGISTRY_TOKEN !== undefined) {
    logins.push({ kind: "bearer", token: values.FIELDGATE_REGISTRY_TOKEN });
  }
  return logins;
}

function isSame(left: BasicAuth, right: BasicAuth): boolean {
  return left.username === right.username && left.password === right.password;
}
