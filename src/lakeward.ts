/** What a user's own files import from 'lakeward'. Loads nothing heavy and starts nothing. */
export { type Config, defineConfig } from './config/config.ts';
export {
  type AppendDefinition,
  defineTransform,
  type PartitionsDefinition,
  type Row,
  type Source,
  type TestOptions,
  type Transform,
  type TransformDefinition,
  testTransform,
} from './transforms/transforms.ts';
