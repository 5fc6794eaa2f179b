import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A consumer team's repository, as far as Fieldgate is concerned: a fieldgate.yaml, and a schema for greeter. */
export interface Repository {
  readonly folder: string;
  contract(): Promise<string>;
  /** Adds a column to the contract's `fields`. */
  addField(name: string): Promise<void>;
}

const READER_SCHEMA = join(import.meta.dirname, "../../schemas/demo/greeter.avsc");

function repository(folder: string): Repository {
  const file = join(folder, "fieldgate.yaml");
  const contract = (): Promise<string> => readFile(file, "utf8");
  return {
    folder,
    contract,
    async addField(name) {
      await writeFile(file, (await contract()).replace(/^( *fields: \[.*)\]/m, `$1, ${name}]`));
    },
  };
}

export async function createGreeterRepository(parent: string, topic: string): Promise<Repository> {
  const folder = join(parent, "greeter");
  await mkdir(folder);
  const schema = (await readFile(READER_SCHEMA, "utf8")).replace("shop.public.customers", topic);
  await writeFile(join(folder, "customers.avsc"), schema);
  const contract = `version: 1
consumer: greeter
topics:
  - topic: ${topic}
    decodes-with: reader      # with its own schema, so it does not see any other fields
    unknown-fields: accept
    schema: customers.avsc
    groups: [greeter]
`;
  await writeFile(join(folder, "fieldgate.yaml"), contract);
  return repository(folder);
}

export async function createReplicaRepository(parent: string, topic: string): Promise<Repository> {
  const folder = join(parent, "replica");
  await mkdir(folder);
  const contract = `version: 1
consumer: replica
topics:
  - topic: ${topic}
    decodes-with: writer      # with the schema that each event names
    unknown-fields: reject    # a field that its table lacks stops it
    fields: [id, name, city, visits, changed_at, nickname]
    groups: [replica]
`;
  await writeFile(join(folder, "fieldgate.yaml"), contract);
  return repository(folder);
}
