/** A way in which a database's DDL is explained or not. `message` says how far its messages can be trusted. */
export interface Situation {
  readonly name: string;
  readonly message: "trusted" | "untrusted" | "none";
  readonly installed: boolean;
  /** Runs after the installation of the trigger. `mallory` is a role that owns nothing. */
  readonly arrange: (mallory: string) => string;
  /** One transaction with a command, and with rows before and after it. */
  readonly transaction: (parts: Parts) => string;
}

export interface Parts {
  readonly before: string;
  readonly ddl: string;
  readonly after: string;
  readonly oid: number;
  readonly mallory: string;
}

const plain = ({ before, ddl, after }: Parts) => `BEGIN; ${before}; ${ddl}; ${after}; COMMIT`;
const nothing = () => "";

export const SITUATIONS: readonly Situation[] = [
  { name: "on", message: "trusted", installed: true, arrange: nothing, transaction: plain },
  { name: "off", message: "none", installed: false, arrange: nothing, transaction: plain },
  {
    // An administrator has removed ENABLE ALWAYS, and a session is in replica mode.
    name: "bypassed",
    message: "none",
    installed: true,
    arrange: () =>
      ["ddl_command_end", "sql_drop", "table_rewrite"]
        .map((event) => `ALTER EVENT TRIGGER fieldgate_${event} ENABLE`)
        .join("; "),
    transaction: ({ before, ddl, after }) =>
      `BEGIN; SET LOCAL session_replication_role = replica; ${before}; ${ddl}; ${after}; COMMIT`,
  },
  {
    // The trigger is silent, and a role without rights writes forged messages before and after the command.
    name: "forged",
    message: "untrusted",
    installed: true,
    arrange: (mallory) =>
      `ALTER EVENT TRIGGER fieldgate_ddl_command_end DISABLE; CREATE ROLE ${mallory}; GRANT ${mallory} TO CURRENT_USER`,
    transaction: ({ before, ddl, after, oid, mallory }) =>
      `BEGIN; ${before}; ${forgery(oid, mallory)}; ${ddl}; ${forgery(oid, mallory)}; ${after}; COMMIT`,
  },
  {
    name: "savepoint",
    message: "trusted",
    installed: true,
    arrange: nothing,
    transaction: ({ before, ddl, after }) =>
      `BEGIN; ${before}; SAVEPOINT mistake; ALTER TABLE t ADD mistake int; ROLLBACK TO mistake;
       SAVEPOINT s; ${ddl}; RELEASE s; ${after}; COMMIT`,
  },
  {
    name: "error",
    message: "untrusted",
    installed: true,
    arrange: () => "DELETE FROM fieldgate.secret",
    transaction: plain,
  },
];

/** A forged message: it claims that the table has one column and was rewritten. Only the signature is wrong. */
function forgery(oid: number, mallory: string): string {
  const column = {
    attnum: 1,
    name: "id",
    oid: 23,
    typmod: -1,
    typeName: "integer",
    notNull: true,
    defaultExpr: null,
    identity: false,
    generated: false,
  };
  const table = {
    oid,
    schema: "public",
    name: "t",
    maxAttnum: 1,
    filenode: 1,
    estimatedRows: 1,
    replicaIdentity: "default",
    key: [1],
    types: [],
    columns: [column],
  };
  const tables = JSON.stringify([{ change: "changed", rewrite: 4, table }]);
  return `SET LOCAL ROLE ${mallory};
    SELECT pg_logical_emit_message(true, 'fieldgate.ddl', repeat('0', 64) || ' ' || json_build_object('format', 1,
      'command', 'ALTER TABLE', 'role', 'mallory', 'xid', pg_current_xact_id()::text, 'time', 1,
      'tables', '${tables}'::json, 'dropped', '[]'::json, 'look', '[${oid}]'::json)::text);
    RESET ROLE`;
}
