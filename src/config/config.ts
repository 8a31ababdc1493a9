/**
 * Configuration: one table of options (options.ts), from which come the flags, the environment variables, the type of
 * `lakeward.config.ts` and the reference page. Order: flag, environment, file, default.
 *
 * `defineConfig` is also what a config file gets from `import { defineConfig } from 'lakeward'`.
 */
export { CONFIG_FILES, type Config, type ConfigFile, defineConfig, loadConfigFile } from './file.ts';
export { bytes, choice, count, duration, flag, instant, type Kind, path, text, url } from './kinds.ts';
export { nearest } from './nearest.ts';
export {
  COMMAND_NAMES,
  type CommandName,
  environmentOf,
  flagOf,
  type OptionName,
  optionRow,
  type Settings,
} from './options.ts';
export { configurationPage, defaultText } from './reference.ts';
export {
  flagsOf,
  type Origin,
  type Origins,
  type Resolved,
  resolveSettings,
  type Sources,
} from './resolve.ts';
