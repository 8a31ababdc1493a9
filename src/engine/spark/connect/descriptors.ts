/** The table of messages as descriptors of @bufbuild/protobuf, which encodes and decodes by them. */
import { create, createFileRegistry, type DescMessage, type DescMethod, toBinary } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';
import { type FieldRow, MESSAGES, METHODS, type Message, type MessageName, type Method } from './messages.ts';

const PACKAGE = 'spark.connect';
const SERVICE = 'SparkConnectService';
const SCALARS: Readonly<Record<string, Type>> = {
  string: Type.STRING,
  bytes: Type.BYTES,
  bool: Type.BOOL,
  int32: Type.INT32,
  int64: Type.INT64,
};

/** `ErrorInfo` belongs to another package, in a file of its own with what it refers to. */
const STATUS_PACKAGE = 'google.rpc';
const STATUS_MESSAGES: readonly MessageName[] = ['ErrorInfo', 'Entry'];

const field = (of: string, [name, [number, type, repeated]]: [string, FieldRow]) => ({
  name,
  number,
  label: repeated === undefined ? Label.OPTIONAL : Label.REPEATED,
  ...(type in SCALARS ? { type: SCALARS[type]! } : { type: Type.MESSAGE, typeName: `.${of}.${type}` }),
});

const message = (of: string, name: MessageName) => ({
  name,
  field: Object.entries(MESSAGES[name] as Record<string, FieldRow>).map((entry) => field(of, entry)),
});

const service = {
  name: SERVICE,
  method: Object.entries(METHODS).map(([name, [input, output, responses]]) => ({
    name,
    inputType: `.${PACKAGE}.${input}`,
    outputType: `.${PACKAGE}.${output}`,
    serverStreaming: responses === 'stream',
  })),
};

const connect = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: 'lakeward/spark_connect.proto',
    package: PACKAGE,
    syntax: 'proto3',
    messageType: (Object.keys(MESSAGES) as MessageName[]).map((name) => message(PACKAGE, name)),
    service: [service],
  }),
  () => undefined,
);
const status = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: 'lakeward/error_info.proto',
    package: STATUS_PACKAGE,
    syntax: 'proto3',
    messageType: STATUS_MESSAGES.map((name) => message(STATUS_PACKAGE, name)),
  }),
  () => undefined,
);

const methods = connect.getService(`${PACKAGE}.${SERVICE}`)!.methods;

export function methodOf(name: Method): DescMethod {
  return methods.find((method) => method.name === name)!;
}

export const ERROR_INFO: DescMessage = status.getMessage(`${STATUS_PACKAGE}.ErrorInfo`)!;

/** Bytes of a message, for tests of the table. */
export function encoded<Name extends MessageName>(name: Name, value: Message<Name>): Uint8Array {
  const desc = connect.getMessage(`${PACKAGE}.${name}`)!;
  return toBinary(desc, create(desc, value as never));
}
