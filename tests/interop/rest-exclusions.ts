/**
 * What the REST compatibility kit has that our server does not answer, by test and reason. A test of the kit that is
 * not here has to pass; one that is here and passes has to go. docs/reference/rest-catalog.md shows the same.
 */
import type { Outcome } from '../support/rest-compatibility-kit.ts';

export interface Exclusion {
  reason: string;
  outcome: Exclude<Outcome, 'passed'>;
  tests: readonly string[];
}

export const EXCLUSIONS: readonly Exclusion[] = [
  {
    reason: 'views are not served, and each of these makes one first',
    outcome: 'failed',
    tests: [
      'basicCreateView',
      'completeCreateView',
      'concurrentReplaceViewVersion',
      'createAndReplaceViewWithLocation',
      'createOrReplaceTableViaTransactionThatAlreadyExistsAsView',
      'createOrReplaceView',
      'createOrReplaceViewThatAlreadyExistsAsTable',
      'createTableThatAlreadyExistsAsView',
      'createTableViaTransactionThatAlreadyExistsAsView',
      'createViewConflict',
      'createViewErrorCases',
      'createViewThatAlreadyExists',
      'createViewThatAlreadyExistsAsTable',
      'createViewWithCustomMetadataLocation',
      'defaultViewProperties',
      'dropNonEmptyNamespace',
      'listViews',
      'listViewsAndTables',
      'loadTableThatAlreadyExistsAsView',
      'loadViewThatAlreadyExistsAsTable',
      'loadViewWithNonExistingNamespace',
      'overrideViewProperties',
      'registerExistingView',
      'registerTableThatAlreadyExistsAsView',
      'registerView',
      'registerViewThatAlreadyExistsAsTable',
      'renameTableTargetAlreadyExistsAsView',
      'renameView',
      'renameViewNamespaceMissing',
      'renameViewSourceMissing',
      'renameViewTargetAlreadyExistsAsTable',
      'renameViewTargetAlreadyExistsAsView',
      'renameViewUsingDifferentNamespace',
      'replaceTableViaTransactionThatAlreadyExistsAsView',
      'replaceViewConflict',
      'replaceViewErrorCases',
      'replaceViewVersion',
      'replaceViewVersionByUpdatingSQLForDialect',
      'replaceViewVersionConflict',
      'replaceViewVersionErrorCases',
      'testSqlForCaseInsensitive',
      'testSqlForInvalidArguments',
      'testSqlForMultipleDialects',
      'updateViewLocation',
      'updateViewLocationConflict',
      'updateViewProperties',
      'updateViewPropertiesConflict',
      'updateViewPropertiesErrorCases',
    ],
  },
  {
    reason:
      'a table lies in a namespace always; the kit leaves these out unless a catalog has tables outside',
    outcome: 'skipped',
    tests: [
      'createAndDropEmptyNamespace',
      'listNamespacesWithEmptyNamespace',
      'listTablesInEmptyNamespace',
      'listViewsInEmptyNamespace',
      'namespacePropertiesOnEmptyNamespace',
    ],
  },
  {
    reason: 'the layout of Iceberg’s JdbcCatalog, which our SQLite catalog has, joins levels by dots',
    outcome: 'skipped',
    tests: ['testNamespaceWithDot', 'testTableNameWithDot'],
  },
  {
    reason: 'the kit never runs these over REST; our own tests do in their place',
    outcome: 'skipped',
    tests: [
      'createTableInUniqueLocation',
      'testDropNamespaceWithNestedNamespace',
      'testListNestedNamespaces',
      'testNamespaceWithSlash',
      'testTableNameWithSlash',
    ],
  },
];

/** Those that a catalog in a bucket has beside. */
export const EXCLUSIONS_OF_BUCKET: readonly Exclusion[] = [
  {
    reason: 'a catalog in a bucket moves one pointer at a time, and does not rename',
    outcome: 'failed',
    tests: [
      'dropAfterRenameDoesntCorruptTable',
      'renameTableNamespaceMissing',
      'testRenameTable',
      'testRenameTableDestinationTableAlreadyExists',
      'testRenameTableMissingSourceTable',
    ],
  },
];
