/**
 * The part of the Spark Connect protocol that we speak, as a table: message → field → number and type. Names of the
 * service, numbers and types are the public protocol's; nested messages stand flat, members of a `oneof` are plain
 * fields and maps are lists of entries, all of which is the same on the wire.
 *
 * Rejected: code generated from .proto text (1,982 lines, and a step that every clone, worktree and package must have
 * run before anything type-checks). Descriptors and types both come from this table, by descriptors.ts.
 */
export const MESSAGES = {
  UserContext: { userId: [1, 'string'] },
  Empty: {},
  Entry: { key: [1, 'string'], value: [2, 'string'] },

  ExecutePlanRequest: {
    sessionId: [1, 'string'],
    userContext: [2, 'UserContext'],
    plan: [3, 'Plan'],
    clientType: [4, 'string'],
    requestOptions: [5, 'RequestOption', 'repeated'],
    operationId: [6, 'string'],
    clientObservedServerSideSessionId: [8, 'string'],
  },
  RequestOption: { reattachOptions: [1, 'ReattachOptions'] },
  ReattachOptions: { reattachable: [1, 'bool'] },
  ReattachExecuteRequest: {
    sessionId: [1, 'string'],
    userContext: [2, 'UserContext'],
    operationId: [3, 'string'],
    clientType: [4, 'string'],
    lastResponseId: [5, 'string'],
    clientObservedServerSideSessionId: [6, 'string'],
  },
  ExecutePlanResponse: {
    arrowBatch: [2, 'ArrowBatch'],
    sqlCommandResult: [5, 'SqlCommandResult'],
    responseId: [13, 'string'],
    resultComplete: [14, 'Empty'],
    serverSideSessionId: [15, 'string'],
  },
  ArrowBatch: { rowCount: [1, 'int64'], data: [2, 'bytes'] },
  SqlCommandResult: { relation: [1, 'Relation'] },
  ReleaseExecuteRequest: {
    sessionId: [1, 'string'],
    userContext: [2, 'UserContext'],
    operationId: [3, 'string'],
    clientType: [4, 'string'],
    releaseAll: [5, 'Empty'],
  },
  ReleaseExecuteResponse: { operationId: [2, 'string'] },

  AnalyzePlanRequest: {
    sessionId: [1, 'string'],
    userContext: [2, 'UserContext'],
    clientType: [3, 'string'],
    sparkVersion: [10, 'Empty'],
  },
  AnalyzePlanResponse: { sparkVersion: [8, 'SparkVersion'], serverSideSessionId: [15, 'string'] },
  SparkVersion: { version: [1, 'string'] },
  ConfigRequest: {
    sessionId: [1, 'string'],
    userContext: [2, 'UserContext'],
    operation: [3, 'ConfigOperation'],
    clientType: [4, 'string'],
  },
  ConfigOperation: { set: [1, 'ConfigPairs'], getOption: [4, 'ConfigKeys'] },
  ConfigPairs: { pairs: [1, 'Entry', 'repeated'] },
  ConfigKeys: { keys: [1, 'string', 'repeated'] },
  ConfigResponse: { pairs: [2, 'Entry', 'repeated'], serverSideSessionId: [4, 'string'] },
  /** Types of an interrupt: 1 all, 2 by tag, 3 by operation. */
  InterruptRequest: {
    sessionId: [1, 'string'],
    userContext: [2, 'UserContext'],
    clientType: [3, 'string'],
    interruptType: [4, 'int32'],
    operationId: [6, 'string'],
  },
  InterruptResponse: { interruptedIds: [2, 'string', 'repeated'] },
  ReleaseSessionRequest: {
    sessionId: [1, 'string'],
    userContext: [2, 'UserContext'],
    clientType: [3, 'string'],
  },
  ReleaseSessionResponse: { serverSideSessionId: [2, 'string'] },
  FetchErrorDetailsRequest: {
    sessionId: [1, 'string'],
    userContext: [2, 'UserContext'],
    errorId: [3, 'string'],
    clientType: [4, 'string'],
  },
  FetchErrorDetailsResponse: { rootErrorIdx: [1, 'int32'], errors: [2, 'ServerError', 'repeated'] },
  /** A cause of 0 is the first error itself, which is no error's cause: no cause. */
  ServerError: {
    errorTypeHierarchy: [1, 'string', 'repeated'],
    message: [2, 'string'],
    causeIdx: [4, 'int32'],
    sparkThrowable: [5, 'SparkThrowable'],
  },
  SparkThrowable: { errorClass: [1, 'string'], sqlState: [4, 'string'] },

  Plan: { root: [1, 'Relation'], command: [2, 'Command'] },
  Command: { createDataframeView: [3, 'CreateView'], sqlCommand: [5, 'SqlCommand'] },
  SqlCommand: { input: [6, 'Relation'] },
  CreateView: { input: [1, 'Relation'], name: [2, 'string'], replace: [4, 'bool'] },
  Relation: {
    read: [2, 'Read'],
    project: [3, 'Project'],
    sql: [10, 'Sql'],
    localRelation: [11, 'LocalRelation'],
  },
  Read: { dataSource: [2, 'DataSource'] },
  DataSource: {
    format: [1, 'string'],
    schema: [2, 'string'],
    options: [3, 'Entry', 'repeated'],
    paths: [4, 'string', 'repeated'],
  },
  Project: { input: [1, 'Relation'], expressions: [3, 'Expression', 'repeated'] },
  Sql: { query: [1, 'string'] },
  LocalRelation: { data: [1, 'bytes'], schema: [2, 'string'] },
  Expression: { expressionString: [4, 'ExpressionString'] },
  ExpressionString: { expression: [1, 'string'] },

  /** Of package google.rpc: what stands in the details of a status. */
  ErrorInfo: { reason: [1, 'string'], metadata: [3, 'Entry', 'repeated'] },
} as const satisfies Record<string, Record<string, FieldRow>>;

/** Method → request, response, and whether the response is a stream. */
export const METHODS = {
  ExecutePlan: ['ExecutePlanRequest', 'ExecutePlanResponse', 'stream'],
  ReattachExecute: ['ReattachExecuteRequest', 'ExecutePlanResponse', 'stream'],
  ReleaseExecute: ['ReleaseExecuteRequest', 'ReleaseExecuteResponse', 'one'],
  AnalyzePlan: ['AnalyzePlanRequest', 'AnalyzePlanResponse', 'one'],
  Config: ['ConfigRequest', 'ConfigResponse', 'one'],
  Interrupt: ['InterruptRequest', 'InterruptResponse', 'one'],
  ReleaseSession: ['ReleaseSessionRequest', 'ReleaseSessionResponse', 'one'],
  FetchErrorDetails: ['FetchErrorDetailsRequest', 'FetchErrorDetailsResponse', 'one'],
} as const satisfies Record<
  string,
  readonly [keyof typeof MESSAGES, keyof typeof MESSAGES, 'one' | 'stream']
>;

export type FieldRow = readonly [number: number, type: string, repeated?: 'repeated'];

interface Scalars {
  string: string;
  bytes: Uint8Array;
  bool: boolean;
  int32: number;
  int64: bigint;
}
export type Scalar = keyof Scalars;
export type MessageName = keyof typeof MESSAGES;
export type Method = keyof typeof METHODS;

type Value<Type> = Type extends Scalar ? Scalars[Type] : Type extends MessageName ? Message<Type> : never;
type FieldValue<Row> = Row extends readonly [number, infer Type, 'repeated']
  ? readonly Value<Type>[]
  : Row extends readonly [number, infer Type]
    ? Value<Type>
    : never;

/** What one writes and reads: every field may be absent. */
export type Message<Name extends MessageName> = {
  readonly [Field in keyof (typeof MESSAGES)[Name]]?: FieldValue<(typeof MESSAGES)[Name][Field]>;
};
export type Request<M extends Method> = Message<(typeof METHODS)[M][0]>;
export type Response<M extends Method> = Message<(typeof METHODS)[M][1]>;
