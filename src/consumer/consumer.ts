/** `fieldgate/consumer`: what a consumer written with kafkajs imports. Nothing of the service is loaded with it. */
export { GuardError } from "../errors.ts";
export { announcing } from "./assigner.ts";
export type { MessageHeaders, MessagePart } from "./framing.ts";
export { type EventReader, type EventReaderOptions, eventReader, type SchemaSource } from "./reader.ts";
