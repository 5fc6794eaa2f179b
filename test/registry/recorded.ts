/**
 * Each product's answers to our client's requests about subject `s`, taken from its source, or recorded from the running
 * product where `source` says so. Schemas and messages are shortened; statuses, codes and fields are original.
 */
import type { Recorded } from "./answers.ts";

export interface Product {
  readonly product: string;
  /** The files with the answers, in the product's repository at this version. */
  readonly source: string;
  readonly unknownSubject: Recorded;
  /** GET /config/s?defaultToGlobal=true for an unknown subject. */
  readonly levelOfUnknown: Recorded;
  readonly level: Recorded;
  readonly latest: Recorded;
  /** POST /subjects/s without an equal schema. */
  readonly notEqual: Recorded;
  readonly equal: Recorded;
  readonly registered: Recorded;
  readonly incompatible: Recorded;
  /** The message of that refusal. */
  readonly words: string;
  /** POST /subjects/s and …/versions with a text that is not a schema. */
  readonly lookUpOfNonsense: Recorded;
  readonly nonsense: Recorded;
  /** POST /compatibility/subjects/s/versions; undefined if the route is missing and `missing` is the answer. */
  readonly check: Recorded | undefined;
  /** POST /compatibility/subjects/s/versions/1 with an incompatible schema. */
  readonly checkOne: Recorded;
  /** The reasons in that answer. */
  readonly reasons: readonly string[];
  readonly missing: Recorded;
}

const SCHEMA = `"string"`;
const NO_SUBJECT: Recorded = [404, { error_code: 40401, message: "Subject 's' not found." }];
const NO_SCHEMA: Recorded = [404, { error_code: 40403, message: "Schema not found" }];
const BACKWARD: Recorded = [200, { compatibilityLevel: "BACKWARD_TRANSITIVE" }];
const ONE = { subject: "s", version: 1, id: 5, schema: SCHEMA };
const REASON =
  "{errorType:'TYPE_MISMATCH', description:'The type (path '/') of a field in the new schema does not match with the old schema', additionalInfo:'reader type: STRING not compatible with writer type: LONG'}";
const REFUSED = `Schema being registered is incompatible with an earlier schema for subject "s", details: [${REASON}]`;
const REASONS = [REASON, "{oldSchemaVersion: 1}"];
const UNFIT: Recorded = [200, { is_compatible: false, messages: REASONS }];
const JAX_404: Recorded = [404, { error_code: 404, message: "HTTP 404 Not Found" }];

const confluent7: Product = {
  product: "Confluent 7.9",
  source: "confluentinc/schema-registry v7.9.0: core rest/exceptions/Errors.java, rest/resources",
  unknownSubject: NO_SUBJECT,
  levelOfUnknown: BACKWARD,
  level: BACKWARD,
  latest: [200, ONE],
  notEqual: NO_SCHEMA,
  equal: [200, ONE],
  registered: [200, { id: 6 }],
  incompatible: [409, { error_code: 409, message: REFUSED }],
  words: REFUSED,
  lookUpOfNonsense: [422, { error_code: 42201, message: "Invalid schema" }],
  nonsense: [422, { error_code: 42201, message: "Invalid schema" }],
  check: UNFIT,
  checkOne: UNFIT,
  reasons: REASONS,
  missing: JAX_404,
};

const apicurioNothing: Recorded = [
  422,
  { error_code: 42201, message: "Failed to discover artifact type from content." },
];
const apicurioReason =
  "Incompatible artifact: s [AVRO], num of incompatible diffs: {1}, list of diff types: [zip at /fields/1]";
const apicurio2Reason = `${apicurioReason} Causes: zip at /fields/1`;
const apicurio2Unknown: Recorded = [
  404,
  { error_code: 40401, message: "No artifact with ID 's' in group 'null' was found." },
];
const apicurio2Unfit: Recorded = [200, { is_compatible: false, reason: apicurio2Reason }];

const apicurio3: Product = {
  product: "Apicurio 3.3.3",
  source: "recorded",
  unknownSubject: NO_SUBJECT,
  levelOfUnknown: NO_SUBJECT,
  level: BACKWARD,
  latest: [200, ONE],
  notEqual: [404, { error_code: 40403, message: "The given schema does not match any schema under the subject s" }],
  equal: [200, ONE],
  registered: [200, { id: 6 }],
  incompatible: [
    409,
    { error_code: 409, message: `io.apicurio.registry.rules.violation.RuleViolationException: ${apicurioReason}` },
  ],
  words: `io.apicurio.registry.rules.violation.RuleViolationException: ${apicurioReason}`,
  lookUpOfNonsense: [
    404,
    { error_code: 40403, message: "The given schema does not match any schema under the subject s" },
  ],
  nonsense: apicurioNothing,
  check: [200, { is_compatible: false }],
  checkOne: [200, { is_compatible: false }],
  reasons: [],
  missing: JAX_404,
};

const karapaceReason = "reader type: string not compatible with writer type: long";

export const PRODUCTS: readonly Product[] = [
  {
    ...confluent7,
    product: "Confluent 7.0",
    source: "confluentinc/schema-registry v7.0.0: SubjectsResource.java (every failed lookup is a 500)",
    lookUpOfNonsense: [500, { error_code: 500, message: "Error while looking up schema under subject s" }],
  },
  confluent7,
  {
    ...confluent7,
    product: "Confluent 8.3",
    source: "confluentinc/schema-registry v8.3.1: Errors.java (40901), RegisterSchemaResponse.java, Schema.java",
    latest: [200, { ...ONE, guid: "0ab1", schemaType: "AVRO", ts: 1_700_000_000_000, deleted: false }],
    registered: [200, { id: 6, version: 2, guid: "0ab2", schemaType: "AVRO", schema: SCHEMA, ts: 1_700_000_000_000 }],
    incompatible: [409, { error_code: 40901, message: REFUSED }],
  },
  {
    ...apicurio3,
    product: "Apicurio 2.6.13",
    unknownSubject: apicurio2Unknown,
    levelOfUnknown: apicurio2Unknown,
    latest: [200, { ...ONE, references: [] }],
    equal: [200, { ...ONE, references: [] }],
    incompatible: [
      409,
      { error_code: 409, message: `io.apicurio.registry.rules.RuleViolationException: ${apicurio2Reason}` },
    ],
    words: `io.apicurio.registry.rules.RuleViolationException: ${apicurio2Reason}`,
    check: apicurio2Unfit,
    checkOne: apicurio2Unfit,
    reasons: [apicurio2Reason],
  },
  apicurio3,
  {
    product: "Karapace 6.2",
    source:
      "Aiven-Open/karapace 6.2.0: api/controller.py, api/routers, api/http_handlers, tests/integration/test_schema.py",
    unknownSubject: NO_SUBJECT,
    levelOfUnknown: NO_SUBJECT,
    level: BACKWARD,
    latest: [200, ONE],
    notEqual: NO_SCHEMA,
    equal: [200, ONE],
    registered: [200, { id: 6 }],
    incompatible: [
      409,
      {
        error_code: 409,
        message: `Incompatible schema, compatibility_mode=BACKWARD_TRANSITIVE. Incompatibilities: ${karapaceReason}`,
      },
    ],
    words: `Incompatible schema, compatibility_mode=BACKWARD_TRANSITIVE. Incompatibilities: ${karapaceReason}`,
    lookUpOfNonsense: [422, { error_code: 42201, message: "Error while looking up schema under subject s" }],
    nonsense: [422, { error_code: 42201, message: "Invalid AVRO schema. Error: unknown type" }],
    check: undefined,
    checkOne: [200, { is_compatible: false, messages: [karapaceReason] }],
    reasons: [karapaceReason],
    missing: [404, JSON.stringify("Not Found")],
  },
  {
    product: "Redpanda 24.3",
    source:
      "redpanda-data/redpanda v24.3: pandaproxy/schema_registry handlers.cc, errors.h, rptest schema_registry_test.py; missing route: seastar http/routes.cc",
    unknownSubject: NO_SUBJECT,
    levelOfUnknown: BACKWARD,
    level: BACKWARD,
    latest: [200, ONE],
    notEqual: NO_SCHEMA,
    equal: [200, ONE],
    registered: [200, { id: 6 }],
    incompatible: [409, { error_code: 409, message: REFUSED }],
    words: REFUSED,
    lookUpOfNonsense: [500, { error_code: 500, message: "Error while looking up schema under subject s" }],
    nonsense: [422, { error_code: 422, message: "Invalid schema unknown type" }],
    check: undefined,
    checkOne: [200, { is_compatible: false, messages: [REASON] }],
    reasons: [REASON],
    missing: [404, { message: "Not found", code: 404 }],
  },
];
