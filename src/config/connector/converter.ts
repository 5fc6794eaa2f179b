/**
 * The schema registry that a connector file names for itself, in the keys of Kafka Connect's converters. The converters
 * of the key and the value must name the same registry. Confluent's and Apicurio's converters are known.
 */
import type { Mistake } from "../../mistake.ts";
import type { RegistryAuth, RegistryOptions } from "../../registry/http.ts";
import { readRegistryAddress } from "../environment/registry-address.ts";

/** A registry with Confluent's API. There is at least one URL, and no URL contains a user or password. */
export interface ConverterRegistry extends Pick<RegistryOptions, "urls"> {
  readonly auth: RegistryAuth | undefined;
}

type Flat = Readonly<Record<string, unknown>>;
type Side = "key" | "value";

const CONFLUENT = "io.confluent.connect.avro.AvroConverter";
const APICURIO = "io.apicurio.registry.utils.converter.AvroConverter";

/**
 * The converter keys that say where the registry is and how to log in, without the prefix `key.converter.` or
 * `value.converter.`.
 */
const ADDRESS = [
  "schema.registry.url",
  "apicurio.registry.url",
  "basic.auth.credentials.source",
  "basic.auth.user.info",
  "schema.registry.basic.auth.credentials.source",
  "schema.registry.basic.auth.user.info",
  "bearer.auth.credentials.source",
  "bearer.auth.token",
  "bearer.auth.logical.cluster",
  "bearer.auth.identity.pool.id",
];

/** True if `converterRegistry` reads this key. */
export function isConverterAddress(key: string): boolean {
  return ADDRESS.some((name) => key === `key.converter.${name}` || key === `value.converter.${name}`);
}

/** The converter classes whose output Fieldgate's events match. */
export const AVRO_CONVERTERS: readonly string[] = [CONFLUENT, APICURIO];

/** The connector's own registry; undefined if the file does not name one. Mistakes are added to the list. */
export function converterRegistry(flat: Flat, mistakes: Mistake[]): ConverterRegistry | undefined {
  const key = sideOf("key", flat, mistakes);
  const value = sideOf("value", flat, mistakes);
  if (key !== undefined && value !== undefined && JSON.stringify(key) !== JSON.stringify(value)) {
    mistakes.push({
      key: "key.converter.schema.registry.url",
      reason: "and value.converter.schema.registry.url must name the same registry with the same credentials",
    });
  }
  return value ?? key;
}

/** True if the converters use the schemas that somebody else has registered, and register none themselves. */
export function registersNothing(flat: Flat): boolean {
  const is = (name: string, wanted: string) =>
    [flat[`key.converter.${name}`], flat[`value.converter.${name}`]].some(
      (value) => (typeof value === "string" ? value.trim() : JSON.stringify(value)) === wanted,
    );
  return (
    is("auto.register.schemas", "false") ||
    is("use.latest.version", "true") ||
    is("apicurio.registry.auto-register", "false") ||
    is("apicurio.registry.find-latest", "true")
  );
}

function sideOf(side: Side, flat: Flat, mistakes: Mistake[]): ConverterRegistry | undefined {
  const read: ReadKey = (name) => {
    const value = flat[`${side}.converter.${name}`];
    return typeof value === "string" ? value.trim() : undefined;
  };
  const apicurio = read("apicurio.registry.url");
  const name = apicurio === undefined ? "schema.registry.url" : "apicurio.registry.url";
  const given = read(name);
  if (given === undefined) return undefined;
  const addresses = given.split(",").map((url) => readRegistryAddress(url.trim()));
  const urls = addresses.flatMap((address) => (address === undefined ? [] : [confluentApi(address.url)]));
  if (urls.length < addresses.length) {
    mistakes.push({
      key: `${side}.converter.${name}`,
      reason: "must be a comma-separated list of http(s) URLs",
      example: "http://registry:8081",
    });
    return undefined;
  }
  const inUrl = addresses.find((address) => address?.auth !== undefined)?.auth;
  return { urls, auth: authOf(side, read, inUrl, mistakes) };
}

/** Apicurio serves its own API and the Confluent-compatible one at the same address. */
function confluentApi(url: string): string {
  return url.replace(/\/apis\/registry\/v\d+$/, "/apis/ccompat/v7");
}

type Auth = RegistryAuth | undefined;
type ReadKey = (name: string) => string | undefined;

function authOf(side: Side, read: ReadKey, inUrl: Auth, mistakes: Mistake[]): Auth {
  const bearer = read("bearer.auth.credentials.source");
  if (bearer !== undefined) return bearerAuth(side, bearer, read, mistakes);
  const source =
    read("basic.auth.credentials.source") ?? read("schema.registry.basic.auth.credentials.source") ?? "URL";
  switch (source) {
    case "URL":
      return inUrl;
    case "USER_INFO":
      return basicAuth(side, read, mistakes);
    default:
      mistakes.push({
        key: `${side}.converter.basic.auth.credentials.source`,
        reason: "must be USER_INFO or URL",
        example: `"${side}.converter.basic.auth.credentials.source": "USER_INFO"`,
      });
      return undefined;
  }
}

function basicAuth(side: Side, read: ReadKey, mistakes: Mistake[]): Auth {
  const info = read("basic.auth.user.info") ?? read("schema.registry.basic.auth.user.info") ?? "";
  const colon = info.indexOf(":");
  if (colon > 0) return { kind: "basic", username: info.slice(0, colon), password: info.slice(colon + 1) };
  mistakes.push({
    key: `${side}.converter.basic.auth.user.info`,
    reason: "must be user:password",
    example: "${env:REGISTRY_USER}:${env:REGISTRY_PASSWORD}",
  });
  return undefined;
}

function bearerAuth(side: Side, source: string, read: ReadKey, mistakes: Mistake[]): Auth {
  const token = read("bearer.auth.token") ?? "";
  if (source !== "STATIC_TOKEN" || token === "") {
    const key = `${side}.converter.bearer.auth.${source === "STATIC_TOKEN" ? "token" : "credentials.source"}`;
    const must = source === "STATIC_TOKEN" ? "must be the token" : "can only be STATIC_TOKEN in this version";
    mistakes.push({ key, reason: must, example: "${env:REGISTRY_TOKEN}" });
    return undefined;
  }
  const cluster = read("bearer.auth.logical.cluster");
  const pool = read("bearer.auth.identity.pool.id");
  return {
    kind: "bearer",
    token,
    headers: {
      ...(cluster === undefined ? {} : { "target-sr-cluster": cluster }),
      ...(pool === undefined ? {} : { "Confluent-Identity-Pool-Id": pool }),
    },
  };
}
