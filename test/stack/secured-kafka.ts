import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Stack, startStack } from "../../local/stack.ts";
import type { Authority } from "./certificates.ts";

export const USER = "fieldgate";

/**
 * A broker of the test's own with three listeners: open; SASL_SSL with every mechanism for the user `fieldgate`;
 * SSL that asks for a client's certificate. All certificates are the authority's.
 */
export async function securedKafka(authority: Authority, password: string): Promise<Stack> {
  const server = await authority.issue("broker");
  const keystore = join(authority.folder, "broker.pem");
  await writeFile(keystore, `${server.key}${server.cert}`);
  const module = (name: string, more = "") => `org.apache.kafka.common.security.${name}LoginModule required${more};`;
  const of = "listener.name.sasl_ssl";
  return startStack({
    postgres: false,
    registry: false,
    kafkaSecured: {
      protocols: ["SASL_SSL", "SSL"],
      properties: {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": keystore,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": authority.caFile,
        "listener.name.ssl.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        [`${of}.plain.sasl.jaas.config`]: module("plain.Plain", ` user_${USER}="${password}"`),
        [`${of}.scram-sha-256.sasl.jaas.config`]: module("scram.Scram"),
        [`${of}.scram-sha-512.sasl.jaas.config`]: module("scram.Scram"),
      },
      scram: ["SCRAM-SHA-256", "SCRAM-SHA-512"].map((name) => `${name}=[name=${USER},password=${password}]`),
    },
  });
}
