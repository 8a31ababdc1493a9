import {
  createNamespace,
  dropNamespace,
  listNamespaces,
  loadNamespace,
  namespaceExists,
  updateNamespace,
} from './namespace-routes.ts';
import { RestError } from './rest-error.ts';
import type { Answer, RestRequest, Route } from './route.ts';
import type { Service } from './service.ts';
import {
  commitTable,
  commitTransaction,
  createOrStage,
  dropTable,
  listTables,
  loadTable,
  registerTable,
  renameTable,
  tableIsThere,
  takeMetrics,
} from './table-routes.ts';

const NAMESPACE = '/v1/{prefix}/namespaces/{namespace}';
const TABLE = `${NAMESPACE}/tables/{table}`;

const SERVED: readonly Route[] = [
  { endpoint: 'GET /v1/{prefix}/namespaces', answer: listNamespaces },
  { endpoint: 'POST /v1/{prefix}/namespaces', answer: createNamespace },
  { endpoint: `GET ${NAMESPACE}`, answer: loadNamespace },
  { endpoint: `HEAD ${NAMESPACE}`, answer: namespaceExists },
  { endpoint: `DELETE ${NAMESPACE}`, answer: dropNamespace },
  { endpoint: `POST ${NAMESPACE}/properties`, answer: updateNamespace },
  { endpoint: `GET ${NAMESPACE}/tables`, answer: listTables },
  { endpoint: `POST ${NAMESPACE}/tables`, answer: createOrStage },
  { endpoint: `POST ${NAMESPACE}/register`, answer: registerTable },
  { endpoint: `GET ${TABLE}`, answer: loadTable },
  { endpoint: `HEAD ${TABLE}`, answer: tableIsThere },
  { endpoint: `POST ${TABLE}`, answer: commitTable },
  { endpoint: `DELETE ${TABLE}`, answer: dropTable },
  { endpoint: `POST ${TABLE}/metrics`, answer: takeMetrics },
  { endpoint: 'POST /v1/{prefix}/tables/rename', answer: renameTable },
  { endpoint: 'POST /v1/{prefix}/transactions/commit', answer: commitTransaction },
];

export const ROUTES: readonly Route[] = [{ endpoint: 'GET /v1/config', answer: configOf }, ...SERVED];

async function configOf({ ports }: Service, { query }: RestRequest): Promise<Answer> {
  const asked = query.get('warehouse');
  const { warehouse, catalog } = ports;
  if (asked !== null && warehouse !== undefined && asked !== warehouse)
    throw new RestError(404, 'NoSuchWarehouseException', `The warehouse here is ${warehouse}, not ${asked}`);
  const missing = [
    ...(catalog.swapAll === undefined ? ['/transactions/commit'] : []),
    ...(catalog.rename === undefined ? ['/tables/rename'] : []),
  ];
  const endpoints = SERVED.map(({ endpoint }) => endpoint).filter(
    (endpoint) => !missing.some((end) => endpoint.endsWith(end)),
  );
  return { status: 200, body: { defaults: {}, overrides: {}, endpoints } };
}
