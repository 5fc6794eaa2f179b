import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import kafkajs from "kafkajs";
import { type Stack, startStack } from "../../local/stack.ts";
import type { Authority } from "./certificates.ts";
import { kafkaClient } from "./topic.ts";

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

const USER = "fieldgate";

/** Exactly the rights that docs/security.md lists for the principal. */
const RIGHTS = [
  [AclResourceTypes.TOPIC, "prefix", "__fieldgate.", ["CREATE", "DESCRIBE", "DESCRIBE_CONFIGS", "READ", "WRITE"]],
  [AclResourceTypes.TOPIC, "prefix", "", ["CREATE", "DESCRIBE", "DESCRIBE_CONFIGS", "WRITE"]],
  [AclResourceTypes.TRANSACTIONAL_ID, "prefix", "__fieldgate.", ["DESCRIBE", "WRITE"]],
  [AclResourceTypes.GROUP, "prefix", "fieldgate.", ["READ", "DELETE"]],
  [AclResourceTypes.GROUP, "all", "*", ["DESCRIBE"]],
] as const;

/** Gives the user `fieldgate` its rights; `prefix` is the prefix of the data topics' names. */
export async function grantRights(brokers: readonly string[], prefix: string): Promise<void> {
  const admin = kafkaClient(brokers).admin();
  await admin.connect();
  try {
    const acl = RIGHTS.flatMap(([resourceType, how, name, operations]) =>
      operations.map((operation) => ({
        resourceType,
        resourceName: name === "" ? `${prefix}.` : name,
        resourcePatternType: how === "prefix" ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
        principal: `User:${USER}`,
        host: "*",
        operation: AclOperationTypes[operation],
        permissionType: AclPermissionTypes.ALLOW,
      })),
    );
    await admin.createAcls({ acl });
  } finally {
    await admin.disconnect();
  }
}

/**
 * A separate broker with three listeners: one without protection; SASL_SSL with every mechanism for the user
 * `fieldgate`; and SSL that requires a client certificate. All certificates are from the authority. Clients of the
 * open listener may do everything, others only what they are granted.
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
    kafkaProperties: {
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": "User:ANONYMOUS;User:CN=owner",
    },
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
